"""People act on rollouts: the act and its record are one, whatever happens in between."""

import asyncio
import random

import pytest
from builders import NOW, a_rollout, a_stage, a_target
from fakes import Killed
from msgspec.structs import replace
from worlds import World

from shared.domain.acts import Act, ActKind
from shared.domain.errors import NotAllowed, NotFound, Unavailable
from shared.domain.ledger import Head, head_id
from shared.domain.messages import Notify, StepRollout
from shared.domain.rollouts import Rollout


def act(kind: ActKind, **fields: str) -> Act:
    return Act(kind=kind, by="alex", reason="tills are down", **fields)


def put(world: World, rollout: Rollout, *, newest: bool = True) -> Rollout:
    world.rollouts.kept.put(rollout.id, rollout)
    head = Head(id=head_id(rollout.ref), source=rollout.source, rollouts=(rollout.id,) if newest else ("rollout-2",))
    world.changes.heads.put((rollout.source, head.id), head)
    return rollout


def now_of(world: World) -> Rollout:
    return world.rollouts.kept.now("rollout-1")


async def records(world: World) -> list[tuple[str, str, str]]:
    entries = [link.entry async for link in world.audit.read("rollout-1") if link.entry]
    return [(entry.action, entry.actor, entry.detail.get("reason", "")) for entry in entries]


async def test_an_act_is_saved_recorded_told_and_followed(world: World) -> None:
    put(world, a_rollout())
    given = await world.act()("rollout-1", act("pause"))
    assert (given, given.state, given.announced) == (now_of(world), "paused", 1)
    assert await records(world) == [("rollout.paused", "alex", "tills are down")]
    assert world.queue.messages("notifications") == [Notify(rollout_id="rollout-1", event_id=given.events[0].id)]
    assert world.queue.messages("rollout-steps") == [StepRollout(rollout_id="rollout-1")]


async def test_events_of_our_own_are_recorded_as_ours(world: World) -> None:
    put(world, a_rollout().with_event("rollout.started", NOW, "1 cluster"))
    await world.act()("rollout-1", act("pause"))
    assert await records(world) == [("rollout.started", "sluice", ""), ("rollout.paused", "alex", "tills are down")]


async def test_an_unknown_rollout_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.act()("rollout-9", act("pause"))


async def test_a_refused_act_leaves_nothing_behind(world: World) -> None:
    put(world, a_rollout(state="paused", reason="enough"))
    with pytest.raises(NotAllowed, match="a rollout that is paused cannot be paused"):
        await world.act()("rollout-1", act("pause"))
    assert world.faults.writes == 0


@pytest.mark.parametrize("kind", ["resume", "rollback", "retry"])
async def test_only_the_newest_rollout_writes_to_clusters_again(world: World, kind: ActKind) -> None:
    put(world, a_rollout(a_stage(counts={"failed": 1}), state="paused"), newest=False)
    with pytest.raises(NotAllowed, match="a newer push has taken its place"):
        await world.act()("rollout-1", act(kind))
    assert world.faults.writes == 0


@pytest.mark.parametrize("kind", ["pause", "abort"])
async def test_any_rollout_may_be_stopped(world: World, kind: ActKind) -> None:
    put(world, a_rollout(), newest=False)
    await world.act()("rollout-1", act(kind))
    assert now_of(world).state in ("paused", "aborted")


async def test_a_rollout_that_was_over_is_back_on_the_sweeps_list(world: World) -> None:
    put(world, a_rollout(a_stage(counts={"compliant": 1}, state="succeeded"), state="succeeded"))
    await world.act()("rollout-1", act("rollback"))
    assert list(world.rollouts.listed) == ["rollout-1"]


async def test_who_was_slower_decides_again(world: World) -> None:
    rollout = put(world, a_rollout())
    world.rollouts.kept.meanwhile = lambda: world.rollouts.kept.put(rollout.id, replace(rollout, state="superseded", reason="newer"))
    with pytest.raises(NotAllowed, match="superseded"):
        await world.act()("rollout-1", act("pause"))
    assert now_of(world).state == "superseded"
    assert await records(world) == []


@pytest.mark.parametrize("seed", range(10))
async def test_of_two_who_pause_one_does(world: World, seed: int) -> None:
    world.faults.pauses = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    put(world, a_rollout())
    done = await asyncio.gather(*(world.act()("rollout-1", act("pause")) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in done if isinstance(each, Exception)] == [NotAllowed]
    assert [record[0] for record in await records(world)] == ["rollout.paused"]


async def test_an_outage_after_the_act_is_no_failure_of_it(world: World) -> None:
    put(world, a_rollout())
    world.rollouts.kept.meanwhile = lambda: world.faults.fail_next.append(Unavailable("the next write"))
    assert (await world.act()("rollout-1", act("pause"))).state == "paused"
    assert await records(world) == []
    await recover(world)
    assert await records(world) == [("rollout.paused", "alex", "tills are down")]


@pytest.mark.parametrize("die_at", range(1, 8))
async def test_a_crash_anywhere_leaves_an_act_with_its_record_or_neither(world: World, die_at: int) -> None:
    put(world, a_rollout(a_stage(counts={"compliant": 1}, state="succeeded"), state="succeeded"))
    world.rollouts.kept_targets.put(("rollout-1", "target-000"), a_target(state="compliant", dispatch=1, applied_at=NOW, accepted_at=NOW))
    world.faults.die_at = die_at
    try:
        await world.act()("rollout-1", act("rollback"))
        survived = True
    except Killed:
        survived = False
    world.faults.die_at = None
    await recover(world)
    happened = now_of(world).state != "succeeded"
    rolling = [record for record in await records(world) if record[0] == "rollout.rolling-back"]
    assert rolling == ([("rollout.rolling-back", "alex", "tills are down")] if happened else [])
    assert happened or not survived
    assert world.rollouts.kept_targets.now(("rollout-1", "target-000")).goal == ("back" if happened else "forward")


async def recover(world: World) -> None:
    """A sweep, later: it knows nothing but the list."""
    world.clock.pass_(60)
    for rollout_id, _ in await world.rollouts.active():
        await world.step()(rollout_id)
