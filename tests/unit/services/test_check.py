"""A CI system tells what became of a check."""

from builders import MAIN, a_check, at, sha
from msgspec.structs import replace
from worlds import World

from shared.domain.ledger import Head, head_id
from shared.domain.messages import ROLLOUT_STEPS, StepRollout

CHECK = a_check()


def a_head(world: World, *rollouts: str, revision: str = sha(1), ref: str = MAIN, source: str = CHECK.source) -> None:
    world.changes.heads.put((source, head_id(ref)), Head(id=head_id(ref), source=source, revision=revision, rollouts=rollouts))


async def test_a_result_is_kept_and_wakes_the_rollouts_of_its_revision(world: World) -> None:
    a_head(world, "r1", "r2")
    a_head(world, "r3", ref="refs/tags/v1")
    a_head(world, "old", ref="refs/heads/next", revision=sha(2))
    a_head(world, "other", source="elsewhere")
    assert await world.record_check()(CHECK)
    assert await world.checks.of(CHECK.source, sha(1)) == {"ci/build": "success"}
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id=each) for each in ("r1", "r2", "r3")]


async def test_the_same_and_an_older_result_wake_nobody(world: World) -> None:
    a_head(world, "r1")
    world.clock.pass_(60)
    await world.record_check()(a_check("failure", 30))
    assert not await world.record_check()(a_check("failure", 30))
    assert not await world.record_check()(a_check("success", 20))
    assert await world.checks.of(CHECK.source, sha(1)) == {"ci/build": "failure"}
    assert len(world.queue.messages(ROLLOUT_STEPS)) == 1
    assert await world.record_check()(a_check("success", 40))
    assert await world.checks.of(CHECK.source, sha(1)) == {"ci/build": "success"}


async def test_a_result_from_the_future_is_one_of_now(world: World) -> None:
    await world.record_check()(a_check("failure", 10**9))
    assert [kept.at for kept in world.checks.kept.all()] == [at(0)]
    world.clock.pass_(60)
    assert await world.record_check()(a_check("success", 30))


async def test_a_result_before_its_change_is_kept_for_it(world: World) -> None:
    assert await world.record_check()(replace(CHECK, name="ci/test"))
    assert await world.checks.of(CHECK.source, sha(1)) == {"ci/test": "success"}
    assert world.queue.sent == []
