"""A route that requires checks: its rollout moves nothing until the newest result of each is a success."""

import asyncio
import itertools

import pytest
from builders import a_change, a_check, a_flux_configuration, at, sha
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.acts import Act
from shared.domain.checks import CheckResult
from shared.domain.messages import CONFIG_UPDATES, PlanChange
from shared.domain.rollouts import Rollout

RECEIVER = "maxBodyBytes: 4096"
REQUIRING = CONFIG.replace(RECEIVER, f"{RECEIVER}, events: [push, status]").replace(
    "strategy: rings", "strategy: rings, requires: {checks: [ci/build, ci/test], within: 1h}"
)
BUILD, TEST = a_check(), a_check(name="ci/test")


def a_world(clusters: int = 10) -> World:
    world = World(config=load_text(REQUIRING))
    world.fleet.found = [a_flux_configuration(number) for number in range(clusters)]
    return world


async def push(world: World, number: int = 1) -> None:
    change = a_change(number)
    await world.changes.mark_unplanned(change)
    await world.changes.record(change)
    await world.plan()(PlanChange(source=change.source, change_id=change.id))
    await work(world)


async def tell(world: World, result: CheckResult) -> None:
    await world.record_check()(result)
    await work(world)


async def work(world: World) -> None:
    """Every message of a rollout, until there is none left now."""
    while due := [sent for sent in world.queue.visible() if sent.queue in ("changes", "rollout-steps")]:
        for sent in due:
            world.queue.waiting.remove(sent)
            await world.deliver(sent.queue, sent.message)


def rollout(world: World, revision: str = sha(1)) -> Rollout:
    (found,) = (each for each in world.rollouts.kept.all() if each.revision == revision)
    return found


def moves(world: World) -> bool:
    return bool(world.queue.messages(CONFIG_UPDATES))


@pytest.mark.parametrize("order", list(itertools.permutations(["push", "build", "test"])), ids="-".join)
def test_it_waits_for_all_of_them_in_whatever_order_they_and_the_push_come(order: tuple[str, ...]) -> None:
    async def run() -> None:
        world = a_world()
        world.clock.pass_(10)
        for index, step in enumerate(order):
            assert not moves(world)
            await (push(world) if step == "push" else tell(world, {"build": BUILD, "test": TEST}[step]))
            assert moves(world) == (index == 2)
        assert [event.kind for event in rollout(world).events[-2:]] == ["gate.approved", "rollout.started"]

    asyncio.run(run())


async def test_the_reason_says_which_are_missing() -> None:
    world = a_world()
    world.clock.pass_(10)
    await push(world)
    assert rollout(world).waiting_for == "checks ci/build, ci/test"
    await tell(world, replace(BUILD, state="failure"))
    await tell(world, TEST)
    assert rollout(world).waiting_for == "check ci/build (failed)"
    waiting = [event.summary for event in rollout(world).events]
    assert waiting == ["stage canary waits for checks ci/build, ci/test"]


async def test_a_failed_one_is_run_again() -> None:
    world = a_world()
    world.clock.pass_(10)
    await push(world)
    await tell(world, TEST)
    await tell(world, a_check("failure", 1))
    assert not moves(world)
    await tell(world, a_check("pending", 2))
    assert not moves(world)
    await tell(world, a_check("success", 3))
    assert moves(world)


@pytest.mark.parametrize("again", ["pending", "failure"])
async def test_one_that_was_run_again_before_the_push_is_not_good_any_more(again: str) -> None:
    world = a_world()
    world.clock.pass_(10)
    for result in (TEST, BUILD, a_check(again, 1), BUILD):  # the last one is told late
        await tell(world, result)
    await push(world)
    assert not moves(world)
    await tell(world, a_check("success", 2))
    assert moves(world)


async def test_what_is_told_once_it_moves_does_not_stop_it() -> None:
    world = a_world()
    world.clock.pass_(10)
    for result in (TEST, BUILD):
        await tell(world, result)
    await push(world)
    await tell(world, a_check("failure", 5))
    assert (rollout(world).state, rollout(world).stages[0].state) == ("running", "running")


async def test_checks_of_another_commit_open_nothing() -> None:
    world = a_world()
    world.clock.pass_(10)
    await push(world)
    for result in (TEST, BUILD):
        await tell(world, replace(result, revision=sha(7)))
    assert not moves(world)


async def test_it_gives_up_with_a_message_and_waits_again_when_it_is_resumed() -> None:
    world = a_world()
    await push(world)
    await tell(world, a_check("failure", 0))
    asked = rollout(world).created_at
    world.clock.pass_(3600)
    await work(world)
    reason = f"stage canary: gate requires expired at {at(3600):%Y-%m-%d %H:%M} UTC, still waiting for checks ci/build (failed), ci/test"
    assert asked == at(0)
    assert (rollout(world).state, rollout(world).reason) == ("paused", reason)
    assert [(event.kind, event.severity) for event in rollout(world).events] == [("gate.waiting", "info"), ("gate.expired", "error")]
    for result in (TEST, a_check("success", 3600)):
        await tell(world, result)
    assert not moves(world)
    await world.act()(rollout(world).id, Act(kind="resume", by="alice", reason="CI was down"))
    await work(world)
    assert moves(world)
    assert rollout(world).state == "running"


async def test_one_that_gave_up_may_be_aborted_and_gives_way_to_a_newer_push() -> None:
    for ends in ("aborted", "superseded"):
        world = a_world()
        await push(world)
        world.clock.pass_(3600)
        await work(world)
        if ends == "aborted":
            await world.act()(rollout(world).id, Act(kind="abort", by="alice", reason="not this one"))
        else:
            await push(world, 2)
        await work(world)
        assert rollout(world).state == ends
        assert not moves(world)


async def test_a_stage_without_clusters_is_not_the_first() -> None:
    world = a_world()
    world.fleet.found = [a_flux_configuration(number, tags={"ring": "prod"}) for number in range(3)]
    world.clock.pass_(10)
    await push(world)
    world.clock.pass_(60)
    await work(world)
    assert [[gate.name for gate in stage.gates] for stage in rollout(world).stages] == [[], ["requires"]]
    assert (rollout(world).current, rollout(world).waiting_for, moves(world)) == (1, "checks ci/build, ci/test", False)


results = st.builds(
    a_check, st.sampled_from(["pending", "success", "failure"]), st.integers(0, 9), name=st.sampled_from(["ci/build", "ci/test"])
)


@given(st.lists(results, max_size=8), st.integers(0, 8))
def test_nothing_ever_moves_that_lacks_a_success_and_all_that_has_it_moves(told: list[CheckResult], pushed: int) -> None:
    async def run() -> None:
        world = a_world(5)
        world.clock.pass_(10)
        steps: list[CheckResult | None] = [*told[:pushed], None, *told[pushed:]]
        is_pushed = was_good = False
        for step in steps:
            await (tell(world, step) if step else push(world))
            is_pushed = is_pushed or step is None
            known = await world.checks.of(BUILD.source, sha(1))
            was_good = was_good or (is_pushed and known.get("ci/build") == known.get("ci/test") == "success")
            assert moves(world) == was_good

    asyncio.run(run())
