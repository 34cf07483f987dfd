"""A fluxConfiguration is put back."""

import pytest
from builders import NOW, a_target, at, resource_id, sha
from fakes import Killed
from fleet_fakes import FleetWorld
from msgspec.structs import replace
from sightings import asked
from worlds import LEASE

from shared.domain.configurations import cluster_id, configuration_id
from shared.domain.errors import Busy, Rejected, Throttled, Unavailable
from shared.domain.messages import RESTORATIONS, RestoreConfiguration
from shared.domain.rollouts import TargetState, target_id

KEY = resource_id(0)
MESSAGE = RestoreConfiguration(
    cluster_id=cluster_id(KEY), configuration_id=configuration_id(KEY), key="order-1", rollout_id="rollout-1", dispatch=1, retry=0
)
BACK = (KEY, asked().pin, False)


@pytest.fixture
def world() -> FleetWorld:
    made = FleetWorld()
    made.ask()
    return made


async def put_back(world: FleetWorld, message: RestoreConfiguration = MESSAGE, holder: str = "one") -> None:
    await world.restore()(message, holder=holder)


async def test_it_is_written_once_however_often_the_message_comes(world: FleetWorld) -> None:
    for _ in range(3):
        await put_back(world)
    assert world.restorations.restored == [BACK]
    assert (world.record().applied_at, world.record().holder, world.record().restored) == (NOW, "", "order-1")
    assert world.audit.actions() == ["drift.restored"]


async def test_a_suspended_one_is_resumed_where_the_order_says_so(world: FleetWorld) -> None:
    await put_back(world, replace(MESSAGE, resume=True))
    assert world.restorations.restored == [(*BACK[:2], True)]


@pytest.mark.parametrize("change", [{"rollout_id": "rollout-2"}, {"dispatch": 2}, {"retry": 1}, {"applied_at": None}, {"pin": None}])
async def test_what_was_asked_since_is_left_alone(world: FleetWorld, change: dict[str, object]) -> None:
    world.ask(**change)
    await put_back(world)
    assert world.restorations.restored == []


@pytest.mark.parametrize("state", ["queued", "applied"])
@pytest.mark.parametrize("rollout", ["rollout-1", "rollout-9"])
async def test_what_a_rollout_has_in_flight_is_left_to_it(world: FleetWorld, state: TargetState, rollout: str) -> None:
    world.rollouts.listed["rollout-9"] = NOW
    target = a_target(0, id=target_id(KEY), rollout_id=rollout, state=state)
    world.rollouts.kept_targets.put((rollout, target.id), target)
    await put_back(world)
    assert world.restorations.restored == []
    world.rollouts.kept_targets.put((rollout, target.id), replace(target, state="compliant"))
    await put_back(world)
    assert world.restorations.restored == [BACK]


async def test_it_waits_for_whoever_is_writing(world: FleetWorld) -> None:
    world.ask(holder="another", held_until=at(60))
    await put_back(world)
    [sent] = [sent for sent in world.queue.sent if sent.queue == RESTORATIONS]
    assert (sent.message, sent.not_before, world.restorations.restored) == (MESSAGE, at(61), [])


async def test_two_at_once_are_one(world: FleetWorld) -> None:
    held = world.ask(holder="another", held_until=at(60))
    world.ask()
    world.records.kept.meanwhile = lambda: world.records.kept.put((held.cluster_id, held.id), held)
    await put_back(world)
    assert (world.restorations.restored, len(world.queue.messages(RESTORATIONS))) == ([], 1)


async def test_a_refusal_is_recorded_and_not_tried_again(world: FleetWorld) -> None:
    before = world.record()
    world.restorations.answers = [Rejected("no", code="LinkedAuthorizationFailed", status=403)]
    await put_back(world)
    assert (world.record(), world.audit.actions()) == (before, ["drift.not-restored"])


@pytest.mark.parametrize(
    "error", [Throttled("slow", status=429, retry_after=20), Busy("busy", status=409), Unavailable("down", status=503)]
)
async def test_what_may_work_later_frees_the_turn_and_is_raised(world: FleetWorld, error: Exception) -> None:
    before = world.record()
    world.restorations.answers = [error]
    with pytest.raises(type(error)):
        await put_back(world)
    assert world.record() == before
    await put_back(world)
    assert world.restorations.restored == [BACK]


async def test_without_an_answer_the_turn_is_kept_until_the_lease_ends(world: FleetWorld) -> None:
    world.restorations.answers = [Unavailable("gone", unanswered=True)]
    await put_back(world)
    assert world.record().holder == "one"
    [sent] = [sent for sent in world.queue.sent if sent.queue == RESTORATIONS]
    assert sent.not_before == NOW + LEASE + (at(1) - NOW)
    world.clock.now = sent.not_before
    await put_back(world, holder="two")
    assert world.restorations.restored == [BACK]


async def test_one_that_dies_is_done_by_the_next(world: FleetWorld) -> None:
    for die_at in range(1, 10):
        world = FleetWorld()
        world.ask()
        world.faults.die_at = die_at
        try:
            await put_back(world)
        except Killed:
            world.faults.die_at = None
            world.clock.pass_(LEASE.total_seconds() + 1)
            await put_back(world, holder="two")
        else:
            assert die_at > 2
            return
        assert world.record().revision == sha(1)
        assert world.audit.actions() == ["drift.restored"]
        assert 1 <= len(world.restorations.restored) <= 2
    raise AssertionError("it dies for ever")
