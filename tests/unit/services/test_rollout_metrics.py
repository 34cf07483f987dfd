"""What is measured of rollouts, read through OpenTelemetry's own SDK."""

import pytest
from builders import NOW, a_rollout, a_stage, a_target, an_observation, at, sha
from counted import counted, timed
from msgspec.structs import replace
from worlds import World

from shared.domain.rollouts import Rollout, RolloutState
from shared.metrics import ENDED, ROLLOUTS, STARTED, TARGETS


def keep(world: World, *rollouts: Rollout) -> None:
    for rollout in rollouts:
        world.rollouts.kept.put(rollout.id, rollout)
        world.rollouts.listed[rollout.id] = NOW


def in_state(number: int, state: RolloutState, **counts: int) -> Rollout:
    return replace(a_rollout(a_stage(counts=counts), a_stage("prod", counts=counts)), id=f"rollout-{number}", state=state)


async def test_the_sweep_measures_what_can_still_change(world: World) -> None:
    counted(ROLLOUTS)
    keep(world, in_state(1, "running", pending=2), in_state(2, "paused", failed=1, pending=1), in_state(3, "succeeded", compliant=5))
    await world.step().sweep()
    assert counted(ROLLOUTS) == {("running",): 1, ("paused",): 1, ("rolling-back",): 0}


async def test_targets_of_all_stages_are_added_and_those_of_rollouts_that_are_over_are_not(world: World) -> None:
    keep(world, in_state(1, "running", pending=2), in_state(2, "paused", failed=1, pending=1), in_state(3, "succeeded", compliant=5))
    await world.step().sweep()
    targets = counted(TARGETS)
    assert {key: number for key, number in targets.items() if number} == {("pending",): 6, ("failed",): 2}
    assert targets["compliant",] == 0


async def test_nothing_that_can_change_is_told_as_nothing(world: World) -> None:
    await world.step().sweep()
    assert set(counted(ROLLOUTS).values()) == {0}


@pytest.mark.parametrize("pushed_after", [-90, None])
async def test_a_rollout_is_timed_once_from_its_push_to_its_first_update_and_to_its_end(world: World, pushed_after: int | None) -> None:
    route = f"timed-{pushed_after}"
    pushed_at = None if pushed_after is None else at(pushed_after)
    rollout = replace(a_rollout(a_stage(total=1)), route=route, pushed_at=pushed_at)
    keep(world, rollout)
    target = a_target()
    world.rollouts.kept_targets.put((rollout.id, target.id), target)
    await world.step()(rollout.id)
    waited = 0 if pushed_after is None else -pushed_after
    assert timed(STARTED)[route,] == (1, waited)
    assert (route, "succeeded") not in timed(ENDED)
    (queued,) = world.rollouts.kept_targets.all()
    compliant = replace(
        queued, state="applied", applied_at=at(5), has_news=True, observation=an_observation(5, revision=f"main@sha1:{sha(1)}")
    )
    world.rollouts.kept_targets.put((rollout.id, target.id), compliant)
    world.clock.pass_(60)
    for _ in range(3):
        await world.step()(rollout.id)
        world.clock.pass_(3600)
    assert timed(STARTED)[route,] == (1, waited)
    count, total = timed(ENDED)[route, "succeeded"]
    assert count == 1
    assert total >= waited + 60
