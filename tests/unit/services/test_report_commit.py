"""Commits are told how far their rollouts are: once, in order, whatever happens to messages, instances and hosts."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, a_change, a_flux_configuration, a_rollout, a_stage, at
from fakes import Faults, Killed
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.commit_reports import TURN_LASTS, CommitReport, report_id
from shared.domain.errors import Malformed, NotFound, Rejected, SluiceError, Throttled, Unavailable
from shared.domain.messages import COMMIT_REPORTS, PlanChange, ReportCommit, StepRollout
from shared.domain.rollouts import Reporting, Rollout, Stage

HUB = """
  - {name: hub, type: github, tokenRef: kv://sluice/hub}
alerts:"""
REPORTING = CONFIG.replace("\nalerts:", HUB).replace("strategy: rings}", "strategy: rings, report: {provider: hub}}")
MESSAGE = ReportCommit(rollout_id="rollout-1")
KEY = report_id("hub", a_rollout())


@pytest.fixture
def world() -> World:
    made = World(config=load_text(REPORTING))
    made.secrets.known["kv://sluice/hub"] = "a token"
    return made


def canary(done: int = 0, state: str = "running", total: int = 10, **fields: Any) -> Stage:
    return a_stage("canary", total, state=state, counts={"compliant": done, "applied": total - done}, **fields)


def keep(world: World, *stages: Stage, **fields: Any) -> Rollout:
    rollout = a_rollout(*stages, **{"report": Reporting(provider="hub")} | fields)
    world.rollouts.kept.put(rollout.id, rollout)
    return rollout


def kept(world: World) -> CommitReport:
    return world.commit_reports.kept.now(KEY)


def waiting(world: World) -> list[tuple[str, float]]:
    """Messages to report that are to come, and in how many seconds."""
    sent = [sent for sent in world.queue.waiting if sent.queue == COMMIT_REPORTS]
    return [(one.message.rollout_id, ((one.not_before or world.clock()) - world.clock()).total_seconds()) for one in sent]


async def report(world: World, message: ReportCommit = MESSAGE) -> None:
    await world.report_commit()(message)


class TestSaying:
    async def test_each_stage_is_told_once(self, world: World) -> None:
        keep(world, canary(3), a_stage("prod", 90))
        await report(world)
        assert world.git_host.stands() == {
            "sluice/platform/canary": ("running", "30 % of 10 clusters"),
            "sluice/platform/prod": ("pending", "waits for the stages before"),
        }
        (commit, _), _ = world.git_host.heard
        assert (commit.url, commit.link) == ("github.com/contoso/platform", "https://sluice.example/api/dashboard?rollout=rollout-1")
        world.clock.pass_(3600)
        await report(world)
        assert len(world.git_host.heard) == 2
        assert kept(world).held_until is None

    async def test_a_deployment_and_a_comment_are_found_again_by_what_the_host_called_them(self, world: World) -> None:
        asked = Reporting(provider="hub", deployments=True, comment=True)
        keep(world, canary(), report=asked)
        await report(world)
        keep(world, canary(10, "succeeded"), report=asked, state="succeeded")
        await report(world)
        assert world.git_host.told("deployment") == [("canary", "running"), ("canary", "succeeded")]
        assert world.git_host.told("comment") == [("platform", "running"), ("platform", "succeeded")]
        assert world.git_host.references == ["", "", "", "", "deployment-2", "comment-3"]

    async def test_words_wait_and_are_said_as_they_are_then(self, world: World) -> None:
        keep(world, canary(1))
        await report(world)
        world.clock.pass_(10)
        keep(world, canary(2))
        await report(world)
        keep(world, canary(3))
        await report(world)
        assert len(world.git_host.heard) == 1
        assert waiting(world) == [("rollout-1", 20)]
        world.clock.pass_(20)
        await report(world)
        assert world.git_host.stands() == {"sluice/platform/canary": ("running", "30 % of 10 clusters")}

    async def test_a_rollout_that_reports_nowhere_says_nothing(self, world: World) -> None:
        keep(world, canary(), report=None)
        await report(world)
        assert (world.git_host.heard, world.commit_reports.kept.all()) == ([], [])

    async def test_an_unknown_rollout_fails_the_message(self, world: World) -> None:
        with pytest.raises(NotFound):
            await report(world)


class TestOrder:
    async def test_what_is_said_is_what_is_true_when_it_is_said(self, world: World) -> None:
        """The rollout moves between the message and its turn."""
        keep(world, canary(1))
        world.commit_reports.kept.meanwhile = lambda: keep(world, canary(10, "succeeded"))
        await report(world)
        assert world.git_host.told() == [("canary", "succeeded")]

    async def test_two_instances_speak_one_after_the_other(self, world: World) -> None:
        keep(world, canary(1))
        world.git_host.meanwhile = lambda: keep(world, canary(10, "succeeded"))
        await asyncio.gather(report(world), report(world))
        assert world.git_host.told() == [("canary", "running")]
        assert waiting(world) == [("rollout-1", 5)]
        world.clock.pass_(5)
        await report(world)
        assert world.git_host.told() == [("canary", "running"), ("canary", "succeeded")]

    async def test_who_lost_its_turn_has_the_newest_said_once_more(self, world: World) -> None:
        """An instance stands still while it speaks; another one takes its turn, and says what is newer."""
        keep(world, canary(1))

        async def other_instance() -> None:
            world.clock.pass_(TURN_LASTS.total_seconds())
            keep(world, canary(10, "succeeded"))
            await report(world)

        original = world.git_host.say

        async def slow(*said: Any) -> str:
            world.git_host.say = original  # type: ignore[method-assign]
            await other_instance()
            return await original(*said)

        world.git_host.say = slow  # type: ignore[method-assign]
        await report(world)
        assert world.git_host.told() == [("canary", "succeeded"), ("canary", "running")]
        assert waiting(world) == [("rollout-1", 0)]
        await report(world)
        assert world.git_host.told()[-1] == ("canary", "succeeded")
        await report(world)
        assert len(world.git_host.heard) == 3

    async def test_the_newest_rollout_of_a_commit_speaks_for_it(self, world: World) -> None:
        """The commit was pushed again: to another branch, or after one that was taken back."""
        keep(world, canary(10, "succeeded"), state="succeeded")
        await report(world)
        keep(world, canary(1), id="rollout-2", created_at=at(60))
        await report(world, ReportCommit(rollout_id="rollout-2"))
        keep(world, canary(5, "failed"), state="aborted")
        await report(world)
        assert world.git_host.told() == [("canary", "succeeded"), ("canary", "running")]

    async def test_a_turn_that_grows_short_ends_and_another_message_goes_on(self, world: World) -> None:
        keep(world, canary(), a_stage("prod", 90))
        world.git_host.meanwhile = lambda: world.clock.pass_(TURN_LASTS.total_seconds() - 60)
        await report(world)
        assert [context for context, _ in world.git_host.told()] == ["canary"]
        assert waiting(world) == [("rollout-1", 0)]
        await report(world)
        assert [context for context, _ in world.git_host.told()] == ["canary", "prod"]

    async def test_a_holder_that_died_loses_its_turn(self, world: World) -> None:
        keep(world, canary())
        world.faults.die_at = 2
        with pytest.raises(Killed):
            await report(world)
        await report(world)
        assert world.git_host.heard == []
        assert waiting(world) == [("rollout-1", 5)]
        world.clock.pass_(TURN_LASTS.total_seconds())
        await report(world)
        assert world.git_host.told() == [("canary", "running")]


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "seconds"), [(Throttled("slow", code="429", retry_after=77), 77), (Unavailable("down", code="503"), 2)]
    )
    async def test_a_host_that_is_down_is_asked_again_and_by_nobody_before(self, world: World, error: SluiceError, seconds: float) -> None:
        keep(world, canary(), a_stage("prod", 90))
        world.git_host.answers = [None, error]
        await report(world)
        assert [context for context, _ in world.git_host.told()] == ["canary"]
        assert waiting(world) == [("rollout-1", seconds)]
        keep(world, canary(10, "succeeded"), a_stage("prod", 90, state="running"))
        await report(world)
        assert len(world.git_host.heard) == 1
        assert waiting(world) == [("rollout-1", seconds)]
        world.clock.pass_(seconds)
        await report(world)
        assert {context: state for context, (state, _) in world.git_host.stands().items()} == {
            "sluice/platform/canary": "succeeded",
            "sluice/platform/prod": "running",
        }

    async def test_a_newer_rollout_waits_with_the_older_one_and_is_not_forgotten(self, world: World) -> None:
        keep(world, canary())
        world.git_host.answers = [Throttled("slow", code="429", retry_after=60)]
        await report(world)
        keep(world, canary(10, "succeeded"), id="rollout-2", created_at=at(10))
        await report(world, ReportCommit(rollout_id="rollout-2"))
        assert waiting(world) == [("rollout-1", 60), ("rollout-2", 60)]
        world.clock.pass_(60)
        for _ in range(2):
            await report(world)
            await report(world, ReportCommit(rollout_id="rollout-2"))
        assert world.git_host.told()[-1] == ("canary", "succeeded")

    async def test_after_a_day_it_is_given_up_and_noted(self, world: World) -> None:
        keep(world, canary())
        world.git_host.answers = [Unavailable("down", code="503")] * 1000
        while True:
            await report(world)
            if not (ahead := [seconds for _, seconds in waiting(world) if seconds > 0]):
                break
            world.clock.pass_(min(ahead))
        assert world.clock() - NOW > timedelta(hours=24)
        assert 90 < 1000 - len(world.git_host.answers) < 120
        (entry,) = [link.entry for link in world.audit.streams["rollout-1"]]
        assert entry is not None
        assert (entry.action, entry.resource, entry.detail["reason"]) == ("commit-report.failed", "hub", "Unavailable 503")

        world.git_host.answers = []
        keep(world, canary(10, "succeeded"))
        await report(world)
        assert world.git_host.told() == [("canary", "succeeded")]

    async def test_what_a_host_refuses_is_noted_and_not_asked_again_until_it_changes(self, world: World) -> None:
        keep(world, canary(), a_stage("prod", 90))
        world.git_host.answers = [Rejected("no", code="422")]
        await report(world)
        assert [context for context, _ in world.git_host.told()] == ["prod"]
        (entry,) = [link.entry for link in world.audit.streams["rollout-1"]]
        assert entry is not None
        assert (entry.action, entry.detail["reason"]) == ("commit-report.refused", "status sluice/platform/canary running: 422")
        await report(world)
        assert (len(world.git_host.heard), waiting(world)) == (1, [])
        keep(world, canary(10, "succeeded"), a_stage("prod", 90))
        await report(world)
        assert world.git_host.told()[-1] == ("canary", "succeeded")

    @pytest.mark.parametrize("missing", ["secret", "provider", "host"])
    async def test_what_someone_will_set_right_is_tried_again(self, world: World, missing: str) -> None:
        keep(world, canary(), report=Reporting(provider={"provider": "gone", "host": "ops"}.get(missing, "hub")))
        if missing == "secret":
            world.secrets.known.pop("kv://sluice/hub")
        await report(world)
        assert waiting(world) == [("rollout-1", 2)]
        assert world.git_host.heard == []

    async def test_a_private_key_that_is_none_is_tried_again(self, world: World) -> None:
        keep(world, canary())
        world.git_host.answers = [Malformed("no key")]
        await report(world)
        assert waiting(world) == [("rollout-1", 2)]


class TestRollout:
    """The whole way: a push is planned and stepped, and its commit told."""

    async def pushed(self, world: World, clusters: int = 10) -> Rollout:
        world.fleet.found = [a_flux_configuration(number) for number in range(clusters)]
        change = a_change()
        await world.changes.record(change)
        await world.plan()(PlanChange(source=change.source, change_id=change.id))
        (rollout,) = world.rollouts.kept.all()
        return rollout

    async def test_planning_takes_over_what_the_route_asks_for(self, world: World) -> None:
        assert (await self.pushed(world)).report == Reporting(provider="hub")

    async def test_a_step_that_changes_nothing_to_be_said_sends_nothing(self, world: World) -> None:
        rollout = await self.pushed(world)
        for _ in range(3):
            await world.step()(rollout.id)
        assert len(world.queue.messages(COMMIT_REPORTS)) == 1

    async def test_a_route_that_does_not_report_sends_nothing(self, world: World) -> None:
        world.config = load_text(CONFIG)
        rollout = await self.pushed(world)
        await world.step()(rollout.id)
        assert world.queue.messages(COMMIT_REPORTS) == []

    @pytest.mark.parametrize("die_at", range(1, 12))
    async def test_a_step_that_dies_anywhere_leaves_a_report_to_the_next_one(self, world: World, die_at: int) -> None:
        rollout = await self.pushed(world)
        world.faults.writes, world.faults.die_at = 0, die_at
        try:
            await world.step()(rollout.id)
        except Killed:
            world.faults.die_at = None
            world.clock.pass_(60)
            await world.step().sweep()
            assert StepRollout(rollout_id=rollout.id) in world.queue.messages("rollout-steps")
            await world.step()(rollout.id)
        world.faults.die_at = None
        (message, *_) = world.queue.messages(COMMIT_REPORTS)
        await report(world, message)
        assert [state for _, state in world.git_host.told()] == ["running", "pending"]


@pytest.mark.parametrize("seed", range(40))
async def test_messages_that_are_repeated_and_instances_that_die_leave_the_newest_state(seed: int) -> None:
    """Two instances at a time, a host that fails, a rollout that moves on while they speak; the queue keeps what was not finished."""
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    world = World(config=load_text(REPORTING), faults=Faults(pauses=random.Random(seed)))  # noqa: S311 -- as above
    world.secrets.known["kv://sluice/hub"] = "a token"
    states = [canary(done) for done in range(0, 10, 3)] + [canary(10, "succeeded")]

    async def attempt() -> None:
        try:
            await report(world)
        except Killed:
            await world.queue.send(COMMIT_REPORTS, MESSAGE, not_before=world.clock() + timedelta(seconds=30))

    for stage in states:
        keep(world, stage, a_stage("prod", 90))
        world.faults.die_at = world.faults.writes + chance.randint(1, 12)
        world.git_host.answers = [chance.choice([None, None, Unavailable("down"), Throttled("slow", retry_after=3)]) for _ in range(3)]
        await asyncio.gather(attempt(), attempt())
        world.clock.pass_(chance.choice([1, 40, 200]))
    world.faults.die_at, world.git_host.answers = None, []
    for _ in range(400):
        for sent in world.queue.visible():
            world.queue.waiting.remove(sent)
            await attempt()
        if not world.queue.waiting:
            break
        world.clock.pass_(5)
    assert world.git_host.stands() == {
        "sluice/platform/canary": ("succeeded", "10 clusters"),
        "sluice/platform/prod": ("pending", "waits for the stages before"),
    }
    assert kept(world).held_until is None
