"""The fleet is looked at."""

from typing import Any

import pytest
from builders import NOW, a_flux_configuration, a_rollout, a_stage, a_target, an_observation, at, resource_id, sha
from msgspec.structs import replace
from worlds import World

from shared.domain.errors import Unavailable
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.observations import Observation
from shared.domain.rollouts import Target

SYNCED = f"main@sha1:{sha(1)}"


def waiting(world: World, number: int = 0, rollout: str = "rollout-1", **fields: Any) -> None:
    """A target that was updated at NOW, in a rollout that waits for it."""
    state = fields.setdefault("state", "applied")
    world.rollouts.kept.put(rollout, a_rollout(a_stage(state="running", counts={state: 1}), id=rollout))
    world.rollouts.listed[rollout] = NOW
    values: dict[str, Any] = {"rollout_id": rollout, "applied_at": NOW, "dispatch": 1}
    target = a_target(number, **values | fields)
    world.rollouts.kept_targets.put((rollout, target.id), target)


def seen(world: World, number: int = 0, seconds: float = 30, **fields: Any) -> Observation:
    """What Resource Graph will say of that cluster."""
    observation = an_observation(seconds, **fields)
    world.fleet.found = [item for item in world.fleet.found if item.id != resource_id(number)]
    world.fleet.found.append(a_flux_configuration(number, observation=observation))
    world.clock.now = at(seconds)
    return observation


def target(world: World, number: int = 0, rollout: str = "rollout-1") -> Target:
    return world.rollouts.kept_targets.now((rollout, f"target-{number:03}"))


async def test_news_is_recorded_and_wakes_the_rollout(world: World) -> None:
    waiting(world)
    observation = seen(world, revision=SYNCED)
    await world.observe()()
    assert target(world).observation == observation
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


async def test_one_wake_is_enough_for_many_targets(world: World) -> None:
    for number in range(5):
        waiting(world, number)
        seen(world, number, revision=SYNCED)
    await world.observe()()
    assert len(world.queue.sent) == 1
    assert world.fleet.asked == ["platform"]


async def test_one_look_serves_all_rollouts_of_a_repository(world: World) -> None:
    waiting(world, 0, "rollout-1")
    waiting(world, 1, "rollout-2")
    seen(world, 0, revision=SYNCED)
    seen(world, 1, revision=SYNCED)
    await world.observe()()
    assert world.fleet.asked == ["platform"]
    assert {message.rollout_id for message in world.queue.messages(ROLLOUT_STEPS)} == {"rollout-1", "rollout-2"}


async def test_a_look_that_changes_nothing_is_recorded_and_wakes_nobody(world: World) -> None:
    waiting(world)
    pending = seen(world, compliance="Pending", revision=SYNCED)
    await world.observe()()
    assert (target(world).observation, target(world).has_news, world.queue.sent) == (pending, False, [])


async def test_while_a_stage_bakes_its_compliant_targets_are_looked_at_too(world: World) -> None:
    waiting(world, state="compliant")
    seen(world, compliance="Non-Compliant", revision=SYNCED)
    await world.observe()()
    assert world.fleet.asked == []
    baking = a_rollout(a_stage(state="running", counts={"compliant": 1}, done_at=NOW, bake_seconds=600))
    world.rollouts.kept.put("rollout-1", baking)
    await world.observe()()
    assert target(world).has_news
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


async def test_a_look_that_shows_nothing_new_is_not_written(world: World) -> None:
    waiting(world)
    first = seen(world, reported_at=at(20))
    await world.observe()()
    seen(world, seconds=60, reported_at=at(20))
    writes = world.faults.writes
    await world.observe()()
    assert (target(world).observation, world.faults.writes) == (first, writes)


async def test_the_first_look_after_the_update_is_written_though_it_shows_nothing_new(world: World) -> None:
    waiting(world, observation=an_observation(-5, reported_at=at(-9)))
    after = seen(world, seconds=5, reported_at=at(-9))
    await world.observe()()
    assert target(world).observation == after


async def test_an_older_look_never_takes_the_place_of_a_newer_one(world: World) -> None:
    newer = an_observation(60, revision=SYNCED)
    waiting(world, observation=newer)
    seen(world, seconds=30)
    await world.observe()()
    assert (target(world).observation, world.queue.sent) == (newer, [])


async def test_without_a_waiting_rollout_nothing_is_asked(world: World) -> None:
    waiting(world, state="compliant")
    world.rollouts.listed["never-made"] = NOW
    await world.observe()()
    assert world.fleet.asked == []


async def test_a_target_that_has_moved_on_meanwhile_is_left_alone(world: World) -> None:
    waiting(world)
    seen(world)

    def judged() -> None:
        world.rollouts.kept_targets.put(("rollout-1", "target-000"), replace(target(world), state="failed"))

    world.rollouts.kept_targets.meanwhile = judged
    await world.observe()()
    assert (target(world).state, target(world).observation, world.queue.sent) == ("failed", None, [])


async def test_a_target_that_was_changed_meanwhile_is_written_again(world: World) -> None:
    waiting(world)
    observation = seen(world)
    world.rollouts.kept_targets.meanwhile = lambda: world.rollouts.kept_targets.put(
        ("rollout-1", "target-000"), replace(target(world), reason="someone was here")
    )
    await world.observe()()
    assert (target(world).reason, target(world).observation) == ("someone was here", observation)


async def test_what_the_fleet_does_not_have_is_missing(world: World) -> None:
    waiting(world)
    world.clock.pass_(30)
    await world.observe()()
    assert target(world).observation == Observation.missing(at(30))


async def test_a_fleet_that_cannot_be_asked_is_no_news(world: World) -> None:
    waiting(world)
    world.fleet.down = Unavailable("graph")
    with pytest.raises(Unavailable):
        await world.observe()()
    assert target(world).observation is None


async def test_a_finished_rollout_looks_for_those_that_are_away_only_now_and_then(world: World) -> None:
    waiting(world, state="offline")
    world.rollouts.kept.put("rollout-1", replace(world.rollouts.kept.now("rollout-1"), state="succeeded"))
    for _ in range(20):
        await world.observe()()
        world.clock.pass_(30)
    assert len(world.fleet.asked) == 2


async def test_one_that_is_back_is_followed_closely(world: World) -> None:
    waiting(world, state="applied")
    world.rollouts.kept.put("rollout-1", replace(world.rollouts.kept.now("rollout-1"), state="succeeded"))
    for _ in range(3):
        await world.observe()()
    assert len(world.fleet.asked) == 3


async def test_what_the_cluster_reported_itself_stays_until_azure_has_heard_as_much(world: World) -> None:
    waiting(world, observation=an_observation(20, revision=SYNCED))
    seen(world, seconds=30, compliance="Pending", revision="", reported_at=at(5))
    await world.observe()()
    assert target(world).observation == an_observation(20, revision=SYNCED)
    assert world.queue.sent == []


async def test_a_later_report_in_azure_puts_right_what_the_cluster_reported_itself(world: World) -> None:
    waiting(world, observation=an_observation(20, revision=SYNCED))
    wrong = seen(world, seconds=60, compliance="Non-Compliant", revision=SYNCED, reported_at=at(50))
    await world.observe()()
    assert target(world).observation == wrong
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


async def test_a_report_that_comes_while_the_fleet_is_looked_at_is_not_undone(world: World) -> None:
    waiting(world)
    seen(world, seconds=30, compliance="Pending", revision="", reported_at=at(5))

    def report() -> None:
        told = replace(target(world), observation=an_observation(29, revision=SYNCED))
        world.rollouts.kept_targets.put(("rollout-1", told.id), told)

    world.rollouts.kept_targets.meanwhile = report
    await world.observe()()
    assert target(world).observation == an_observation(29, revision=SYNCED)
