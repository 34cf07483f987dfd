"""Whole simulations: the real use cases, in virtual time."""

from datetime import timedelta

import msgspec
import pytest

from cli.simulation.model import Model
from cli.simulation.report import Report
from cli.simulation.simulate import NothingPlanned, simulate
from cli.simulation.strategies import BUILT_IN
from shared.config.loader import load_text
from shared.config.models import Config
from shared.config.strategies import Stage, Strategy, Success
from shared.domain.selectors import Selector

_MODEL = Model(clusters=200, subscriptions=2, failure_rate=0.02, offline_rate=0.05)


def configured(*stages: Stage, **success: object) -> Config:
    return Config(api_version="sluice/v1", strategies=(Strategy(name="own", stages=stages, success=Success(**success)),))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rings() -> Report:
    return simulate(_MODEL, BUILT_IN, "rings")


def test_two_hundred_clusters_end_as_the_model_has_it(rings: Report) -> None:
    assert rings.state == "succeeded"
    assert rings.counts == {"compliant": 196, "failed": 4}
    assert [(stage.name, stage.total, stage.state) for stage in rings.stages] == [
        ("canary", 2, "succeeded"),
        ("early", 18, "succeeded"),
        ("prod", 180, "succeeded"),
    ]
    assert (rings.updates, rings.throttled, rings.failed_invocations) == (200, 0, 0)


def test_clusters_that_were_away_catch_up_after_the_end(rings: Report) -> None:
    assert rings.makespan_seconds is not None
    assert rings.settled_seconds > 1800 > rings.makespan_seconds
    assert sum(stage.most_offline for stage in rings.stages) == 10


def test_stages_open_one_after_the_other_and_never_before_theory(rings: Report) -> None:
    for before, after in zip(rings.stages, rings.stages[1:], strict=False):
        assert before.closed_at is not None
        assert after.opened_at is not None
        assert before.closed_at <= after.opened_at <= (after.first_update_at or 0)
    for stage in rings.stages:
        assert stage.least_closed_at is not None
        assert stage.closed_at is not None
        assert stage.closed_at >= stage.least_closed_at


def test_it_is_close_to_what_can_be_done_at_all(rings: Report) -> None:
    assert rings.ratio is not None
    assert 1 <= rings.ratio <= 1.05


def test_the_series_adds_up_at_every_moment(rings: Report) -> None:
    assert {sum(moment.counts.values()) for moment in rings.series} == {200}
    assert [moment.at for moment in rings.series] == sorted(moment.at for moment in rings.series)
    assert rings.series[-1].counts["compliant"] == 196


def test_the_same_model_gives_the_same_report(rings: Report) -> None:
    assert msgspec.json.encode(simulate(_MODEL, BUILT_IN, "rings")) == msgspec.json.encode(rings)


def test_another_seed_gives_another_fleet(rings: Report) -> None:
    other = simulate(msgspec.structs.replace(_MODEL, seed=2), BUILT_IN, "rings")
    assert other.makespan_seconds != rings.makespan_seconds
    assert other.counts == rings.counts


def test_a_rollout_that_stops_is_paused_and_has_no_makespan() -> None:
    report = simulate(Model(clusters=40, failure_rate=0.1), configured(Stage(name="all"), max_failures=1), "own")
    assert report.state == "paused"
    assert (report.makespan_seconds, report.least_seconds, report.ratio) == (None, None, None)
    assert [pause.end for pause in report.pauses] == [None]


def test_people_resume_a_paused_rollout_after_a_while() -> None:
    report = simulate(Model(clusters=40, failure_rate=0.1, resume_after_seconds=900.0), configured(Stage(name="all")), "own")
    assert report.state == "succeeded"
    assert report.counts == {"compliant": 36, "failed": 4}
    first = report.pauses[0]
    assert first.end is not None
    assert timedelta(seconds=first.end - first.begin) >= timedelta(minutes=15)
    assert report.ratio is None


def test_no_more_clusters_are_at_work_than_the_strategy_allows() -> None:
    report = simulate(Model(clusters=60), configured(Stage(name="all", max_concurrency=7)), "own")
    assert max(moment.counts["queued"] + moment.counts["applied"] for moment in report.series) == 7
    assert report.counts == {"compliant": 60}


def test_clusters_that_no_stage_selects_are_left_alone_and_counted() -> None:
    report = simulate(Model(clusters=100), configured(Stage(name="canary", selector=Selector(tags={"ring": "canary"}))), "own")
    assert (report.targets, report.unstaged, report.updates) == (1, 99, 1)


def test_a_strategy_that_selects_nothing_is_told() -> None:
    with pytest.raises(NothingPlanned, match="own"):
        simulate(Model(clusters=5), configured(Stage(name="none", selector=Selector(tags={"ring": "nowhere"}))), "own")


_CAREFUL = """
apiVersion: sluice/v1
strategies:
  - name: careful
    stages:
      - {name: canary, selector: {tags: {ring: canary}}, bake: 5m, afterStageWait: 2m}
      - name: rest
        gates:
          - {type: approval, approvers: [leads], required: 2}
          - {type: checks, checks: [ci/build]}
          - {type: webhook, url: "https://change.contoso.example/sluice", secretRef: kv://sluice/change}
        promoteFrom: staging
  - name: nights
    stages: [{name: all}]
    windows: [{days: daily, from: "22:00", to: "04:00", timeZone: Europe/Berlin}]
routes:
  - {name: staging, source: {url: "https://github.com/contoso/platform"}, action: pin}
"""


def test_bakes_waits_and_gates_are_kept_and_part_of_the_theory() -> None:
    report = simulate(Model(clusters=100), load_text(_CAREFUL, "test"), "careful")
    canary, rest = report.stages
    assert report.state == "succeeded"
    assert canary.done_at is not None
    assert canary.closed_at is not None
    assert rest.opened_at is not None
    assert canary.closed_at - canary.done_at == pytest.approx(300, abs=5)
    assert rest.opened_at - canary.closed_at == pytest.approx(600, abs=5)
    assert report.ratio is not None
    assert 1 <= report.ratio <= 1.05
    assert report.messages["gate-calls"] == 1
    assert report.failed_invocations == 0


def test_a_rollout_waits_for_its_window_and_is_not_compared() -> None:
    report = simulate(Model(clusters=20), load_text(_CAREFUL, "test"), "nights")
    assert report.state == "succeeded"
    assert report.stages[0].opened_at == pytest.approx(13 * 3600, abs=60)  # 21:00 UTC is 22:00 in Berlin in winter; it begins at 08:00
    assert (report.least_seconds, report.ratio) == (None, None)
