"""The theoretical makespan against cases that one can work out by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.simulation.theory import Cluster, StagePlan, StageTimes, Sweeps, least_times

_ALWAYS = Sweeps(0)
_HALF_MINUTES = Sweeps(30)


def clusters(count: int, *, subscriptions: int = 1, **times: Any) -> list[Cluster]:
    own: dict[str, Any] = {"arm_seconds": 0.0, "poll_period": 0.0, "poll_phase": 0.0, "work_seconds": 0.0, "lag_seconds": 0.0}
    return [Cluster(subscription=f"sub-{number % subscriptions}", **own | times) for number in range(count)]


def a_plan(these: list[Cluster], **rules: Any) -> StagePlan:
    return StagePlan(clusters=these, **{"places": len(these) or 1} | rules)


def ends(*plans: StagePlan, sweeps: Sweeps = _ALWAYS, begin: float = 0.0) -> float:
    return least_times(plans, sweeps, begin)[-1].closed


@pytest.mark.parametrize(
    ("count", "subscriptions", "seconds"), [(200, 1, 0), (201, 1, 0.1), (1_000, 1, 80), (1_000, 10, 0), (4_000, 10, 20)]
)
def test_arm_takes_two_hundred_at_once_and_then_ten_a_second_in_each_subscription(count: int, subscriptions: int, seconds: float) -> None:
    assert ends(a_plan(clusters(count, subscriptions=subscriptions))) == pytest.approx(seconds)


def test_a_bucket_that_was_emptied_by_one_stage_has_refilled_by_no_more_than_ten_a_second_for_the_next() -> None:
    stages = [a_plan(clusters(200), wait_seconds=5), a_plan(clusters(100))]
    assert ends(*stages) == pytest.approx(5 + (100 - 50) / 10)


def test_a_bucket_never_holds_more_than_two_hundred() -> None:
    assert ends(a_plan(clusters(1), wait_seconds=3600), a_plan(clusters(300))) == pytest.approx(3600 + 10)


@pytest.mark.parametrize(("sweeps", "seconds"), [(_ALWAYS, 25), (_HALF_MINUTES, 150), (Sweeps(30, answer_seconds=2), 5 * 30 + 2)])
def test_a_place_is_free_again_when_it_is_known_to_be(sweeps: Sweeps, seconds: float) -> None:
    assert ends(a_plan(clusters(10, work_seconds=5.0), places=2), sweeps=sweeps) == pytest.approx(seconds)


def test_what_becomes_visible_between_two_sweeps_is_known_at_the_next() -> None:
    assert ends(a_plan(clusters(1, arm_seconds=1.0, work_seconds=20.0, lag_seconds=10.0)), sweeps=_HALF_MINUTES) == pytest.approx(60)


def test_sweeps_are_at_whole_multiples_of_their_period_whenever_the_rollout_begins() -> None:
    assert ends(a_plan(clusters(1, work_seconds=1.0)), sweeps=_HALF_MINUTES, begin=28.5) == pytest.approx(30)


def test_an_agent_finds_what_was_written_before_it_polls() -> None:
    polling = {"poll_period": 60.0, "poll_phase": 7.0}
    assert ends(a_plan(clusters(1, **polling))) == pytest.approx(7)
    assert ends(a_plan(clusters(1, **polling, arm_seconds=8.0))) == pytest.approx(67)


def test_stages_follow_one_another_with_bake_wait_and_gates() -> None:
    first = a_plan(clusters(1, work_seconds=10.0), bake_seconds=60.0, wait_seconds=30.0)
    second = a_plan(clusters(1), gate_seconds=100.0)
    assert least_times([first, second], _ALWAYS, 0.0) == [StageTimes(0.0, 0.0, 70.0), StageTimes(170.0, 170.0, 170.0)]


def test_a_stage_without_clusters_asks_nobody_and_takes_no_time() -> None:
    assert ends(a_plan(clusters(1, work_seconds=10.0), wait_seconds=30.0), a_plan([], gate_seconds=600.0)) == pytest.approx(40)


def test_a_failing_cluster_is_waited_for_until_its_grace_is_over() -> None:
    assert ends(a_plan(clusters(1, work_seconds=10.0, fails=True), grace_seconds=120.0)) == pytest.approx(130)


def test_nobody_is_waited_for_longer_than_they_may_take() -> None:
    assert ends(a_plan(clusters(1, work_seconds=7200.0), within_seconds=1800.0)) == pytest.approx(1800)


def test_clusters_that_are_away_hold_nobody_up_once_they_are_seen_to_be() -> None:
    stage = a_plan([*clusters(1, work_seconds=10.0), *clusters(1, back_at=3600.0)])
    assert ends(stage, sweeps=_HALF_MINUTES) == pytest.approx(30)


def test_a_cluster_that_is_back_while_its_stage_is_open_is_waited_for() -> None:
    stage = a_plan([*clusters(1, work_seconds=100.0), *clusters(1, back_at=40.0, work_seconds=90.0)])
    assert ends(stage, sweeps=_HALF_MINUTES) == pytest.approx(150)


@given(count=st.integers(1, 700), subscriptions=st.integers(1, 5), places=st.integers(1, 50), work=st.floats(0, 300))
def test_no_time_is_less_than_what_arm_and_the_places_each_ask_for(count: int, subscriptions: int, places: int, work: float) -> None:
    found = ends(a_plan(clusters(count, subscriptions=subscriptions, work_seconds=work), places=places))
    writes = (-(-count // subscriptions) - 200) / 10
    rounds = -(-count // places)
    assert found >= max(0.0, writes, rounds * work) - 1e-6
    assert found <= max(0.0, writes) + rounds * work + 1e-6 + count / 10
