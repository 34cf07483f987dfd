"""What people ask, and whether the app can work."""

import asyncio
import json

import pytest
from builders import NOW, a_rollout, a_stage, a_target, an_observation, at, sha
from worlds import World

from shared.domain.errors import NotFound, Unavailable
from shared.domain.rollouts import RolloutEvent
from shared.services.health import Readiness
from shared.services.report import Report


def fill(world: World, rollouts: int) -> None:
    for number in range(rollouts):
        rollout = a_rollout(id=f"rollout-{number}", created_at=at(number))
        world.rollouts.kept.put(rollout.id, rollout)


async def test_rollouts_are_listed_newest_first_and_page_by_page(world: World) -> None:
    fill(world, 5)
    report, seen, continuation = Report(world.rollouts), [], None
    while True:
        page = await report.recent(2, continuation)
        rollouts = page["rollouts"]
        assert isinstance(rollouts, list)
        seen += [rollout["id"] for rollout in rollouts]
        if page["continuation"] is None:
            break
        continuation = str(page["continuation"])
    assert seen == [f"rollout-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(("limit", "expected"), [(-5, 1), (0, 1), (3, 3), (1000, 100)])
async def test_a_page_has_its_limits(world: World, limit: int, expected: int) -> None:
    fill(world, 120)
    rollouts = (await Report(world.rollouts).recent(limit, None))["rollouts"]
    assert isinstance(rollouts, list)
    assert len(rollouts) == expected


async def test_a_rollout_is_shown_with_its_targets_in_order_and_its_events(world: World) -> None:
    event = RolloutEvent(id="e", kind="rollout.started", at=NOW, summary="2 clusters")
    rollout = a_rollout(a_stage("canary", 1), a_stage("prod", 1), events=(event,), superseded_by="rollout-2")
    world.rollouts.kept.put(rollout.id, rollout)
    observation = an_observation(revision=f"main@sha1:{sha(1)}")
    for target in (a_target(1, stage=1), a_target(0, state="applied", applied_at=NOW, observation=observation)):
        world.rollouts.kept_targets.put((rollout.id, target.id), target)
    shown = await Report(world.rollouts).one("rollout-1")
    whole = json.loads(json.dumps(shown))
    assert [(t["cluster"], t["stage"], t["state"]) for t in whole["targets"]] == [
        ("cluster-000", "canary", "applied"),
        ("cluster-001", "prod", "pending"),
    ]
    assert whole["targets"][0]["observedRevision"] == f"main@sha1:{sha(1)}"
    assert whole["targets"][0]["appliedAt"] == "2026-11-23T12:00:00+00:00"
    assert (whole["targets"][1]["appliedAt"], whole["targets"][1]["observedRevision"]) == (None, "")
    assert whole["events"] == [{"at": "2026-11-23T12:00:00+00:00", "kind": "rollout.started", "severity": "info", "summary": "2 clusters"}]
    assert (whole["supersededBy"], whole["revision"], whole["state"]) == ("rollout-2", sha(1), "running")


async def test_a_rollout_that_does_not_exist_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await Report(world.rollouts).one("rollout-9")


class FakeProbe:
    def __init__(self, error: Exception | None = None, *, hangs: bool = False) -> None:
        self._error, self._hangs = error, hangs

    async def check(self) -> None:
        if self._hangs:
            await asyncio.Event().wait()
        if self._error:
            raise self._error


async def test_every_dependency_is_asked_and_its_failure_named_by_kind_only() -> None:
    probes = {"database": FakeProbe(), "queues": FakeProbe(Unavailable("https://secret.example")), "fleet": FakeProbe(ValueError("x"))}
    assert await Readiness(probes)() == {"database": "ok", "queues": "Unavailable", "fleet": "ValueError"}


async def test_a_dependency_that_does_not_answer_is_not_waited_for() -> None:
    assert await Readiness({"database": FakeProbe(hangs=True), "queues": FakeProbe()}, patience_seconds=0.01)() == {
        "database": "TimeoutError",
        "queues": "ok",
    }
