"""What people ask, and whether the app can work."""

import asyncio
import json

import pytest
from builders import NOW, a_rollout, a_stage, a_target, an_observation, at, sha
from worlds import World

from shared.domain.errors import NotFound, Refused, Unavailable
from shared.domain.gates import Gate, Verdict
from shared.domain.rollouts import RolloutEvent
from shared.services.health import Readiness
from shared.services.report import Report


def fill(world: World, rollouts: int) -> None:
    for number in range(rollouts):
        rollout = a_rollout(id=f"rollout-{number}", created_at=at(number))
        world.rollouts.kept.put(rollout.id, rollout)


async def test_rollouts_are_listed_newest_first_and_page_by_page(world: World) -> None:
    fill(world, 5)
    report, seen, continuation = Report(world.rollouts, world.clock), [], None
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
    rollouts = (await Report(world.rollouts, world.clock).recent(limit, None))["rollouts"]
    assert isinstance(rollouts, list)
    assert len(rollouts) == expected


async def test_a_rollout_is_shown_with_its_targets_in_order_and_its_events(world: World) -> None:
    event = RolloutEvent(id="e", kind="rollout.started", at=NOW, summary="2 clusters")
    rollout = a_rollout(a_stage("canary", 1), a_stage("prod", 1), events=(event,), superseded_by="rollout-2")
    world.rollouts.kept.put(rollout.id, rollout)
    observation = an_observation(revision=f"main@sha1:{sha(1)}")
    for target in (a_target(1, stage=1), a_target(0, state="applied", applied_at=NOW, observation=observation)):
        world.rollouts.kept_targets.put((rollout.id, target.id), target)
    shown = await Report(world.rollouts, world.clock).one("rollout-1")
    whole = json.loads(json.dumps(shown))
    assert [(t["cluster"], t["stage"], t["state"]) for t in whole["targets"]] == [
        ("cluster-000", "canary", "applied"),
        ("cluster-001", "prod", "pending"),
    ]
    assert whole["targets"][0]["observedRevision"] == f"main@sha1:{sha(1)}"
    assert whole["targets"][0]["appliedAt"] == "2026-11-23T12:00:00+00:00"
    assert (whole["targets"][1]["appliedAt"], whole["targets"][1]["observedRevision"]) == (None, "")
    (told,) = whole["events"]
    assert told.pop("at") == "2026-11-23T12:00:00+00:00"
    assert told == {"kind": "rollout.started", "severity": "info", "summary": "2 clusters", "by": "sluice", "reason": ""}
    assert (whole["supersededBy"], whole["revision"], whole["state"]) == ("rollout-2", sha(1), "running")


async def test_a_stage_is_shown_with_its_rules_and_gates_and_no_gate_with_its_address(world: World) -> None:
    verdict = Verdict(by="alex", approved=True, reason="looks well", at=NOW)
    asked = Gate(
        name="leads",
        type="approval",
        asked_at=NOW,
        approvers=("platform-leads",),
        required=2,
        verdicts=(verdict,),
        expires_after_seconds=60,
    )
    called = Gate(name="change-board", type="webhook", url="https://board.example/secret-path", secret_ref="kv://sluice/board")
    stage = a_stage("canary", 1, gates=(asked, called), opened_at=at(1), done_at=at(2), closed_at=at(3), bake_seconds=60)
    rollout = a_rollout(stage, waiting_for="approval of platform-leads (1 of 2)")
    world.rollouts.kept.put(rollout.id, rollout)
    shown = json.loads(json.dumps(await Report(world.rollouts, world.clock).one("rollout-1", with_targets=False)))
    assert shown["waitingFor"] == "approval of platform-leads (1 of 2)"
    (told,) = shown["stages"]
    assert [told[name] for name in ("openedAt", "doneAt", "closedAt")] == [f"2026-11-23T12:00:0{second}+00:00" for second in (1, 2, 3)]
    assert (told["rules"]["bakeSeconds"], told["rules"]["maxFailures"], told["rules"]["onFailure"]) == (60, 0, "pause")
    first, second = told["gates"]
    assert (first["approvers"], first["required"], first["state"]) == (["platform-leads"], 2, "waiting")
    assert first["verdicts"] == [{"by": "alex", "approved": True, "reason": "looks well", "at": "2026-11-23T12:00:00+00:00"}]
    assert (second["name"], second["type"], second["askedAt"], second["expiresAt"]) == ("change-board", "webhook", None, None)
    assert first["expiresAt"] == "2026-11-23T12:01:00+00:00"
    assert shown["acts"] == ["pause", "abort"]
    assert "secret-path" not in json.dumps(shown)
    assert "targets" not in shown


async def test_a_target_is_shown_with_where_it_goes_and_where_it_comes_from(world: World) -> None:
    rollout = a_rollout()
    world.rollouts.kept.put(rollout.id, rollout)
    for target in (a_target(0), a_target(1, goal="back"), a_target(2, goal="back", previous=None)):
        world.rollouts.kept_targets.put((rollout.id, target.id), target)
    whole = json.loads(json.dumps(await Report(world.rollouts, world.clock).one("rollout-1")))
    shown = [(t["goal"], t["askedRevision"], t["previousRevision"]) for t in whole["targets"]]
    assert shown == [("forward", sha(1), sha(0)), ("back", sha(0), sha(0)), ("back", "", "")]
    assert whole["moreTargets"] is None


@pytest.fixture
def many(world: World) -> World:
    """1,005 targets in two stages; every tenth has failed."""
    rollout = a_rollout(a_stage("canary", 5), a_stage("prod", 1000))
    world.rollouts.kept.put(rollout.id, rollout)
    for number in range(1005):
        target = a_target(number, stage=int(number >= 5), state="failed" if number % 10 == 0 else "pending")
        world.rollouts.kept_targets.put((rollout.id, f"{number}"), target)
    return world


async def test_an_answer_holds_a_thousand_targets_and_says_that_there_are_more(many: World) -> None:
    whole = json.loads(json.dumps(await Report(many.rollouts, many.clock).one("rollout-1")))
    assert (len(whole["targets"]), whole["moreTargets"]) == (1000, "999")
    rest = await Report(many.rollouts, many.clock).targets("rollout-1", stage="", state="", limit=5000, continuation=whole["moreTargets"])
    assert (len(json.loads(json.dumps(rest))["targets"]), rest["continuation"]) == (5, None)


async def test_targets_are_found_by_stage_and_state_page_by_page(many: World) -> None:
    report, seen, continuation = Report(many.rollouts, many.clock), [], ""
    while True:
        page = json.loads(json.dumps(await report.targets("rollout-1", stage="prod", state="failed", limit=40, continuation=continuation)))
        seen += [target["cluster"] for target in page["targets"]]
        if page["continuation"] is None:
            break
        continuation = page["continuation"]
    assert seen == [f"cluster-{number:03}" for number in range(10, 1005, 10)]


@pytest.mark.parametrize(
    ("asked", "says"), [({"state": "broken"}, "state must be one of pending, queued"), ({"continuation": "-1"}, "page")]
)
async def test_a_page_that_cannot_be_is_refused(many: World, asked: dict[str, str], says: str) -> None:
    with pytest.raises(Refused, match=says):
        await Report(many.rollouts, many.clock).targets("rollout-1", **{"stage": "", "state": "", "continuation": "", **asked}, limit=10)


async def test_a_stage_that_does_not_exist_is_told_with_those_that_do(many: World) -> None:
    with pytest.raises(NotFound, match="canary, prod"):
        await Report(many.rollouts, many.clock).targets("rollout-1", stage="moon", state="", limit=10, continuation="")


async def test_a_rollout_that_does_not_exist_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await Report(world.rollouts, world.clock).one("rollout-9")


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
