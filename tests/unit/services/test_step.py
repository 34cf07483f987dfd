"""A rollout is looked at."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, RULES, a_rollout, a_stage, a_target, an_observation, at, sha
from fakes import Killed
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from worlds import World

from shared.domain.advance import supersede
from shared.domain.errors import Conflict, Unavailable
from shared.domain.messages import CONFIG_UPDATES, NOTIFICATIONS, ROLLOUT_STEPS, ApplyUpdate, Notify, StepRollout
from shared.domain.pace import ARM_WRITES, Pace
from shared.domain.rollouts import Rollout, Target
from shared.domain.targets import scheduled
from shared.domain.turns import Turn
from shared.services.concurrency import map_bounded

SYNCED = f"main@sha1:{sha(1)}"


def fill(world: World, *stages: int, **fields: Any) -> Rollout:
    """A new rollout with so many targets in each stage."""
    rollout = a_rollout(*(a_stage(f"stage-{index}", total) for index, total in enumerate(stages)), **fields)
    world.rollouts.kept.put(rollout.id, rollout)
    world.rollouts.listed[rollout.id] = NOW
    order = 0
    for stage, total in enumerate(stages):
        for _ in range(total):
            target = a_target(order, stage=stage)
            world.rollouts.kept_targets.put((rollout.id, target.id), target)
            order += 1
    return rollout


def rollout(world: World) -> Rollout:
    return world.rollouts.kept.now("rollout-1")


def targets(world: World) -> list[Target]:
    return sorted(world.rollouts.kept_targets.all(), key=lambda target: target.order)


def all_are(world: World, **changes: Any) -> None:
    """As apply or a look at the fleet leaves them: with news."""
    for target in targets(world):
        changed = scheduled(replace(target, **{"has_news": True} | changes), RULES)
        world.rollouts.kept_targets.put((target.rollout_id, target.id), changed)


async def step_to_the_end(world: World) -> None:
    """Also the messages that a step sends itself because it has done enough."""
    await world.step()("rollout-1")
    while again := [sent for sent in world.queue.visible() if sent.queue == ROLLOUT_STEPS]:
        world.queue.waiting.remove(again[0])
        await world.step()("rollout-1")


def counted(world: World) -> list[dict[str, int]]:
    counts: list[dict[str, int]] = [{} for _ in rollout(world).stages]
    for target in targets(world):
        counts[target.stage][target.state] = counts[target.stage].get(target.state, 0) + 1
    return counts


async def test_a_new_rollout_sends_one_update_a_target_at_its_slot(world: World) -> None:
    fill(world, 250)
    await step_to_the_end(world)
    sent = [sent for sent in world.queue.sent if sent.queue == CONFIG_UPDATES]
    assert len({sent.message.target_id for sent in sent}) == len(sent) == 250
    assert {sent.message.target_id: sent.not_before for sent in sent} == {target.id: target.slot for target in targets(world)}
    assert sum(sent.not_before == NOW for sent in sent) == ARM_WRITES.burst
    assert {target.state for target in targets(world)} == {"queued"}


async def test_every_subscription_has_a_pace_of_its_own(world: World) -> None:
    fill(world, 300)
    for target in targets(world):
        world.rollouts.kept_targets.put((target.rollout_id, target.id), replace(target, subscription=f"sub-{target.order % 2}"))
    await step_to_the_end(world)
    assert {target.slot for target in targets(world)} == {NOW}
    assert {pace.id for pace in world.pace.kept.all()} == {"sub-0.westeurope", "sub-1.westeurope"}


async def test_a_step_does_a_bounded_piece_of_work_and_leaves_the_rest_to_another_message(world: World) -> None:
    fill(world, 500)
    await world.step()("rollout-1")
    assert counted(world) == [{"queued": 90, "pending": 410}]
    assert world.queue.messages(ROLLOUT_STEPS)[-1:] == [StepRollout(rollout_id="rollout-1")]


async def test_no_more_is_queued_than_the_pace_has_room_for_within_a_minute(world: World) -> None:
    fill(world, 1000)
    await step_to_the_end(world)
    queued = [target.slot for target in targets(world) if target.slot]
    assert at(59) < max(queued) <= at(60)
    assert counted(world) == [{"queued": len(queued), "pending": 1000 - len(queued)}]
    (wake,) = [sent for sent in world.queue.waiting if sent.queue == ROLLOUT_STEPS]
    assert wake.not_before == at(15)
    world.clock.now = at(15)
    await step_to_the_end(world)
    assert max(target.slot for target in targets(world) if target.slot) > at(74)


async def test_slots_that_a_lost_race_leaves_unused_are_given_back(world: World) -> None:
    fill(world, 50)
    world.rollouts.kept_targets.meanwhile = lambda: world.rollouts.kept_targets.put(
        ("rollout-1", "target-001"), replace(targets(world)[1], reason="someone was here")
    )
    await step_to_the_end(world)
    (pace,) = world.pace.kept.all()
    assert counted(world) == [{"queued": 50}]
    assert pace.theoretical_arrival is not None
    assert abs(pace.theoretical_arrival - at(50 / ARM_WRITES.per_second)) < timedelta(milliseconds=1)


async def test_stepping_again_sends_and_tells_nothing_again(world: World) -> None:
    fill(world, 3)
    await step_to_the_end(world)
    sent, told = list(world.queue.sent), world.audit.actions()
    await step_to_the_end(world)
    assert (world.queue.sent, world.audit.actions()) == (sent, told)


async def test_five_steps_at_once_are_one(world: World) -> None:
    fill(world, 5)
    await asyncio.gather(*(world.step()("rollout-1") for _ in range(5)))
    dispatched = [(target.id, target.dispatch) for target in targets(world)]
    assert sorted((m.target_id, m.dispatch) for m in world.queue.messages(CONFIG_UPDATES)) == sorted(dispatched)
    assert {dispatch for _, dispatch in dispatched} == {1}
    assert world.queue.messages(NOTIFICATIONS).count(Notify(rollout_id="rollout-1", event_id="rollout-1.rollout.started")) >= 1
    assert counted(world) == [stage.counts for stage in rollout(world).stages]


async def test_a_message_that_comes_while_another_one_steps_asks_it_to_look_once_more(world: World) -> None:
    fill(world, 3)
    held = Turn(since=NOW, held_until=at(60))
    world.rollouts.turns.put("rollout-1", held)
    await world.step()("rollout-1")
    assert (counted(world), world.queue.sent) == ([{"pending": 3}], [])
    assert world.rollouts.turns.now("rollout-1") == replace(held, is_asked_for=True)

    world.clock.now = at(60)
    world.rollouts.kept.meanwhile = lambda: world.rollouts.turns.put("rollout-1", Turn(since=NOW, held_until=at(120), is_asked_for=True))
    await world.step()("rollout-1")
    assert counted(world) == [{"queued": 3}]
    assert world.rollouts.turns.now("rollout-1") == Turn(since=NOW)
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


async def test_a_step_that_fails_leaves_its_turn_to_the_next(world: World) -> None:
    fill(world, 3)
    world.rollouts.kept.meanwhile = lambda: world.faults.fail_next.append(Unavailable("down"))
    with pytest.raises(Unavailable):
        await world.step()("rollout-1")
    await world.step()("rollout-1")
    assert counted(world) == [{"queued": 3}]


async def test_an_unknown_rollout_is_left_to_its_planning(world: World) -> None:
    await world.step()("rollout-1")
    assert world.faults.writes == 0


async def test_what_happened_is_told_once_and_audited(world: World) -> None:
    fill(world, 1)
    await world.step()("rollout-1")
    all_are(world, state="applied", applied_at=NOW, observation=an_observation(5, revision=SYNCED))
    world.clock.pass_(6)
    await world.step()("rollout-1")
    assert rollout(world).state == "succeeded"
    assert [message.event_id for message in world.queue.messages(NOTIFICATIONS)] == [
        "rollout-1.rollout.started",
        "rollout-1.stage.succeeded.0",
        "rollout-1.rollout.succeeded",
    ]
    assert rollout(world).announced == 3
    assert sorted(world.audit.actions()) == sorted(["rollout.started", "stage.succeeded", "rollout.succeeded", "target.compliant"])
    assert world.rollouts.listed == {}


async def test_the_order_of_what_happened_at_once_is_kept(world: World) -> None:
    fill(world, 1, 0, 0)
    all_are(world, state="skipped")
    await world.step()("rollout-1")
    told = [sent.not_before for sent in world.queue.sent if sent.queue == NOTIFICATIONS]
    assert all(sent is not None for sent in told)
    assert rollout(world).state == "succeeded"


async def test_it_wakes_itself_when_the_next_stage_may_open(world: World) -> None:
    fill(world, 1, 1)
    first = replace(rollout(world).stages[0], after_wait_seconds=600)
    world.rollouts.kept.put("rollout-1", replace(rollout(world), stages=(first, rollout(world).stages[1])))
    done = replace(targets(world)[0], state="compliant")
    world.rollouts.kept_targets.put(("rollout-1", done.id), done)
    await world.step()("rollout-1")
    wakes = [sent for sent in world.queue.sent if sent.queue == ROLLOUT_STEPS]
    assert [(wake.message, wake.not_before) for wake in wakes] == [(StepRollout(rollout_id="rollout-1"), at(600))]
    await world.step()("rollout-1")
    assert len([sent for sent in world.queue.sent if sent.queue == ROLLOUT_STEPS]) == 1
    world.clock.now = at(600)
    await world.step()("rollout-1")
    assert targets(world)[1].state == "queued"


async def test_stages_without_clusters_are_passed_in_one_go(world: World) -> None:
    fill(world, 0, 0, 2)
    await world.step()("rollout-1")
    assert {target.state for target in targets(world)} == {"queued"}


async def test_a_target_that_someone_else_changed_is_decided_again_and_the_others_are_sent(world: World) -> None:
    fill(world, 20)

    def someone_else() -> None:
        world.rollouts.kept_targets.put(("rollout-1", "target-013"), replace(targets(world)[13], reason="someone was here"))

    world.rollouts.kept_targets.meanwhile = someone_else
    await world.step()("rollout-1")
    assert {target.state for target in targets(world)} == {"queued"}
    messages = world.queue.messages(CONFIG_UPDATES)
    assert {(target.id, target.dispatch) for target in targets(world)} == {(message.target_id, message.dispatch) for message in messages}


async def test_a_rollout_that_was_superseded_meanwhile_closes_its_targets_and_counts_them(world: World) -> None:
    fill(world, 3)
    await world.step()("rollout-1")
    all_are(world, state="applied", applied_at=NOW, observation=an_observation(5, revision=SYNCED))
    world.clock.pass_(6)
    world.rollouts.kept.meanwhile = lambda: world.rollouts.kept.put("rollout-1", supersede(rollout(world), "rollout-2", at(6)))
    await world.step()("rollout-1")
    assert rollout(world).state == "superseded"
    assert rollout(world).stages[0].counts == counted(world)[0] == {"superseded": 3}
    assert world.rollouts.listed == {}


async def test_what_apply_puts_back_when_a_rollout_is_superseded_is_closed_and_counted(world: World) -> None:
    fill(world, 3)
    await world.step()("rollout-1")
    world.rollouts.kept.put("rollout-1", supersede(rollout(world), "rollout-2", NOW))
    for message in world.queue.messages(CONFIG_UPDATES)[:2]:
        await world.apply()(message, holder="one")
    await world.step()("rollout-1")
    assert rollout(world).stages[0].counts == {"superseded": 3}


async def retry(world: World) -> None:
    for _ in range(20):
        try:
            await world.step()("rollout-1")
        except (Killed, Unavailable, Conflict):
            continue
        return
    raise AssertionError("never done")


async def test_an_instance_that_dies_at_any_write_leaves_nothing_undone() -> None:
    for number in range(1, 20):
        world = World()
        fill(world, 2, 2)
        world.faults.die_at = number
        await retry(world)
        world.faults.die_at = None
        world.clock.pass_(301)  # a target whose message was never sent is sent again
        await retry(world)
        messages = world.queue.messages(CONFIG_UPDATES)
        for target in targets(world)[:2]:
            assert ApplyUpdate(rollout_id="rollout-1", target_id=target.id, dispatch=target.dispatch) in messages
        assert rollout(world).announced == len(rollout(world).events) == 1
        assert Notify(rollout_id="rollout-1", event_id="rollout-1.rollout.started") in world.queue.messages(NOTIFICATIONS)


async def test_an_instance_that_dies_at_any_write_of_the_end_leaves_nothing_untold() -> None:
    for number in range(1, 20):
        world = World()
        fill(world, 2)
        await retry(world)
        all_are(world, state="applied", applied_at=NOW, observation=an_observation(10, revision=SYNCED))
        world.clock.now = at(11)
        world.faults.die_at = world.faults.writes + number
        await retry(world)
        world.faults.die_at = None
        for rollout_id in list(world.rollouts.listed):  # what the sweep finds
            world.clock.pass_(600)
            await world.step()(rollout_id)
        assert rollout(world).stages[0].counts == counted(world)[0] == {"compliant": 2}
        told = {message.event_id for message in world.queue.messages(NOTIFICATIONS)}
        assert told == {event.id for event in rollout(world).events}
        assert rollout(world).announced == len(told) == 3
        assert sorted(set(world.audit.actions())) == ["rollout.started", "rollout.succeeded", "stage.succeeded", "target.compliant"]
        assert world.rollouts.listed == {}


@given(st.integers(0, 2**32), st.integers(2, 6), st.none() | st.integers(1, 30))
async def test_steps_at_the_same_time_agree(seed: int, together: int, die_at: int | None) -> None:
    world = World()
    fill(world, 4, 2)
    world.faults.pauses = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    world.faults.die_at = die_at
    await asyncio.gather(*(retry(world) for _ in range(together)))
    world.faults.die_at = None
    world.clock.pass_(60)  # the turn of one that died ends
    await retry(world)
    assert counted(world) == [stage.counts for stage in rollout(world).stages] == [{"queued": 4}, {"pending": 2}]
    messages = world.queue.messages(CONFIG_UPDATES)
    assert len(messages) == len({(message.target_id, message.dispatch) for message in messages}) <= 4
    world.clock.pass_(200)  # what a dead instance did not tell is told after a while
    await retry(world)
    assert len({event.id for event in rollout(world).events}) == len(rollout(world).events) == rollout(world).announced


async def test_the_sweep_steps_every_rollout_that_can_still_change(world: World) -> None:
    fill(world, 1)
    await world.step().sweep()
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


async def test_a_listed_rollout_that_was_never_made_is_forgotten_after_an_hour(world: World) -> None:
    world.rollouts.listed["never-made"] = NOW
    world.clock.pass_(3600)
    await world.step().sweep()
    assert "never-made" in world.rollouts.listed
    world.clock.pass_(1)
    await world.step().sweep()
    assert (world.rollouts.listed, world.queue.sent) == ({}, [])


async def test_the_pace_is_taken_turns_at(world: World) -> None:
    slots = await asyncio.gather(*(world.pacer.reserve("sub-1", 100) for _ in range(5)))
    assert len({slot for some in slots for slot in some if slot > NOW}) == 500 - ARM_WRITES.burst
    await asyncio.gather(world.pacer.push_back("sub-1", at(100)), world.pacer.push_back("sub-1", at(50)))
    assert (await world.pacer.reserve("sub-1", 1))[0] >= at(100)


async def test_many_calls_run_at_once_but_not_too_many() -> None:
    running, most = 0, 0

    async def call(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number * 2

    assert await map_bounded(call, range(50), limit=7) == [number * 2 for number in range(50)]
    assert most == 7


async def test_the_first_error_of_many_calls_is_raised_as_it_is() -> None:
    async def call(number: int) -> None:
        if number == 3:
            raise Unavailable("down")

    with pytest.raises(Unavailable):
        await map_bounded(call, range(5))


async def test_whoever_reserves_at_the_same_time_tries_again(world: World) -> None:
    world.pace.kept.meanwhile = lambda: world.pace.kept.put("sub-1.westeurope", Pace(id="sub-1.westeurope", theoretical_arrival=at(100)))
    await world.pacer.push_back("sub-1", at(10))
    assert (await world.pacer.reserve("sub-1", 1))[0] >= at(80)
