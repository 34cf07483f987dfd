"""Which of a rollout's targets matter now, and how they are counted."""

from typing import Any

import pytest
from builders import a_rollout, a_stage, a_target, at
from msgspec.structs import replace

from shared.domain.crowd import Scope, closed_stages, is_due, recount, scope, shift, tries_again, turns_back
from shared.domain.rollouts import FINAL, FINISHED, OPEN, Glance, Rollout, TargetState

THREE = (a_stage("a", 2, state="succeeded"), a_stage("b", 2, state="running"), a_stage("c", 2))


def middle(**fields: Any) -> Rollout:
    """Its second stage of three is open."""
    return a_rollout(*THREE, current=1, **fields)


def glance(state: TargetState = "pending", *, number: int = 0, **fields: Any) -> Glance:
    return Glance.at(replace(a_target(number, state=state), **fields))


def covered(rollout: Rollout) -> set[tuple[int, str]]:
    return {(stage, state) for stage in range(3) for state in (*OPEN, *FINAL) if scope(rollout).covers(stage, state)}


def states(*, of: Any, stages: Any) -> set[tuple[int, str]]:
    return {(stage, state) for stage in stages for state in of}


def test_a_step_sees_the_current_stage_and_what_is_open_before_it() -> None:
    for state in ("running", "paused"):
        assert covered(middle(state=state)) == states(of=OPEN, stages=[0]) | states(of=OPEN | FINAL, stages=[1])


def test_what_failed_before_is_seen_once_someone_has_asked_to_try_it_again() -> None:
    assert covered(middle(retries=1)) == states(of={*OPEN, "failed"}, stages=[0]) | states(of=OPEN | FINAL, stages=[1])
    assert (0, "failed") not in covered(middle(retries=1, state="paused"))
    assert covered(middle(retries=1, state="succeeded")) == states(of={*OPEN, "failed"}, stages=range(3))


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_what_is_open_of_a_finished_rollout_is_seen_in_all_stages(state: Any) -> None:
    assert covered(middle(state=state)) == states(of=OPEN, stages=range(3))


def test_a_rollback_sees_everything() -> None:
    assert covered(middle(state="rolling-back")) == states(of=OPEN | FINAL, stages=range(3))


def test_a_target_is_due_when_it_has_news_or_its_time_has_come() -> None:
    assert not is_due(glance("applied"), middle(), at(0))
    assert is_due(glance("applied", has_news=True), middle(), at(0))
    assert not is_due(glance("applied", judge_at=at(10)), middle(), at(9))
    assert is_due(glance("applied", judge_at=at(10)), middle(), at(10))


@pytest.mark.parametrize("state", ["superseded", "aborted"])
def test_of_a_rollout_that_is_given_up_just_what_is_open_is_due(state: Any) -> None:
    rollout = middle(state=state)
    assert all(is_due(glance(each), rollout, at(0)) for each in OPEN)
    assert not any(is_due(glance(each, has_news=True), rollout, at(0)) for each in FINAL)


def test_a_rollback_turns_round_what_a_patch_may_have_reached_and_what_has_not_begun() -> None:
    rollout = middle(state="rolling-back", back_stages=(1,))
    turned = {(stage, state) for stage in (0, 1) for state in (*OPEN, *FINAL) if turns_back(glance(state, stage=stage), rollout)}
    assert turned == states(of={*OPEN, "compliant", "failed"}, stages=[1]) | {(0, "pending")}
    assert not turns_back(glance("compliant", stage=1, goal="back"), rollout)
    assert is_due(glance("compliant", stage=1), rollout, at(0))


def test_after_a_rollback_nothing_goes_forward_any_more() -> None:
    assert turns_back(glance("pending"), middle(state="rolled-back", back_stages=(1,)))
    assert not turns_back(glance("offline"), middle(state="rolled-back", back_stages=(1,)))


def test_only_a_rollback_turns_anything_round() -> None:
    assert not turns_back(glance("compliant"), middle(back_stages=(0,)))


def test_what_failed_is_tried_again_once_for_each_time_that_someone_asks() -> None:
    asked = middle(retries=2)
    assert tries_again(glance("failed", retry=1), asked)
    assert not tries_again(glance("failed", retry=2), asked)
    assert not tries_again(glance("skipped", retry=1), asked)
    assert is_due(glance("failed", retry=1), asked, at(0))


@pytest.mark.parametrize(
    ("state", "goal", "is_tried"),
    [
        ("running", "forward", True),
        ("succeeded", "forward", True),
        ("paused", "forward", False),
        ("rolling-back", "forward", False),
        ("rolling-back", "back", True),
        ("rolled-back", "back", False),
        ("superseded", "forward", False),
        ("aborted", "forward", False),
    ],
)
def test_whether_something_is_tried_again_is_up_to_the_rollout(state: Any, goal: Any, is_tried: bool) -> None:
    assert tries_again(glance("failed", goal=goal), middle(retries=1, state=state)) is is_tried


def test_the_stages_before_the_current_one_are_over_and_in_the_end_all() -> None:
    assert [closed_stages(middle()), closed_stages(middle(state="paused")), closed_stages(middle(state="succeeded"))] == [1, 1, 3]


def counted(*stages: dict[str, int]) -> Rollout:
    return a_rollout(*[a_stage(total=sum(each.values()), counts=each) for each in stages])


def counts(rollout: Rollout) -> list[dict[str, int]]:
    return [stage.counts for stage in rollout.stages]


def test_what_is_open_is_counted_as_it_is_seen_and_what_is_final_as_it_was_counted() -> None:
    seen = [glance("queued"), glance("applied"), glance("compliant"), glance("offline", stage=1)]
    rollout = counted({"pending": 2, "compliant": 5}, {"applied": 1, "failed": 1}, {"pending": 7})
    assert counts(recount(rollout, Scope(stage=1, states=OPEN), seen)) == [
        {"applied": 1, "compliant": 5, "queued": 1},
        {"failed": 1, "offline": 1},
        {"pending": 7},
    ]


def test_what_changes_is_counted_where_it_is_then() -> None:
    moves = [
        (glance("applied"), glance("compliant")),
        (glance("compliant"), glance("failed")),
        (glance("failed", stage=1), glance("pending", stage=1)),
    ]
    rollout = counted({"applied": 1, "compliant": 3}, {"failed": 1}, {"pending": 7})
    assert counts(shift(rollout, moves)) == [{"compliant": 3, "failed": 1}, {"pending": 1}, {"pending": 7}]
