"""One target is written."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, a_rollout, a_stage, a_target, at, resource_id, sha
from fakes import Killed, Patch
from msgspec.structs import replace
from worlds import World

from shared.domain.configurations import Configuration, cluster_id, configuration_id
from shared.domain.errors import Busy, Rejected, SluiceError, Throttled, Unavailable
from shared.domain.messages import CONFIG_UPDATES, ApplyUpdate
from shared.domain.pins import Pin
from shared.domain.rollouts import Rejection, Rollout, Target
from shared.domain.targets import ARM_KEEPS_UPDATE
from shared.domain.windows import Calendar, Window

MESSAGE = ApplyUpdate(rollout_id="rollout-1", target_id="target-000", dispatch=1)
PATCH = Patch(resource_id(0), Pin(revision=sha(1), branch="main"))


OVERTAKEN = Rejection(code="Overtaken", message="a newer change has this fluxConfiguration", overtaken=True)


def queued(world: World, *, rollout: Rollout | None = None, **fields: Any) -> None:
    """A running rollout with one target that waits for its update."""
    rollout = rollout or a_rollout(a_stage(state="running", counts={"queued": 1}))
    world.rollouts.kept.put(rollout.id, rollout)
    pin = Pin(revision=rollout.revision, branch=rollout.branch, tag=rollout.tag)
    values: dict[str, Any] = {"state": "queued", "dispatch": 1, "slot": NOW, "rollout_id": rollout.id, "pin": pin}
    target = a_target(**values | fields)
    world.rollouts.kept_targets.put((rollout.id, target.id), target)


def target(world: World, rollout: str = "rollout-1") -> Target:
    return world.rollouts.kept_targets.now((rollout, "target-000"))


def record(world: World) -> Configuration:
    (found,) = world.configurations.kept.all()
    return found


async def apply(world: World, message: ApplyUpdate = MESSAGE, holder: str = "one") -> None:
    await world.apply()(message, holder=holder)


def put_back(world: World) -> list[tuple[ApplyUpdate, Any]]:
    return [(sent.message, sent.not_before) for sent in world.queue.sent if sent.queue == CONFIG_UPDATES]


async def test_an_update_is_written_and_recorded(world: World) -> None:
    queued(world)
    world.clock.pass_(2)
    await apply(world)
    assert world.resource_manager.applied == [PATCH]
    assert (target(world).state, target(world).applied_at, target(world).accepted_at) == ("applied", at(2), at(2))
    assert (record(world).revision, record(world).applied_at, record(world).holder) == (sha(1), at(2), "")
    assert world.audit.actions() == ["update.applied"]
    assert put_back(world) == []


async def test_the_time_of_the_update_is_that_before_it(world: World) -> None:
    queued(world)
    world.resource_manager.meanwhile = lambda: world.clock.pass_(20)
    await apply(world)
    assert target(world).applied_at == NOW


@pytest.mark.parametrize(
    ("ref", "branch", "tag"), [("refs/heads/release/1.2", "release/1.2", None), ("refs/tags/v1", None, "v1")], ids=["branch", "tag"]
)
async def test_a_tag_is_pinned_by_its_name_and_a_branch_with_its_commit(
    world: World, ref: str, branch: str | None, tag: str | None
) -> None:
    queued(world, rollout=a_rollout(ref=ref))
    await apply(world)
    assert world.resource_manager.applied == [Patch(resource_id(0), Pin(revision=sha(1), branch=branch, tag=tag))]


async def test_what_the_target_asks_for_is_written_whole_and_recorded(world: World) -> None:
    pin = Pin(revision="ab" * 32, kind="OCIRepository", tag="v1", substitutions={"apps": {"SITE": "berlin"}})
    queued(world, pin=pin)
    await apply(world)
    assert world.resource_manager.applied == [Patch(resource_id(0), pin)]
    assert (record(world).revision, record(world).ref, record(world).pin) == (pin.revision, "refs/tags/v1", pin)


async def test_the_same_message_five_times_is_one_update(world: World) -> None:
    queued(world)
    for number in range(5):
        await apply(world, holder=f"attempt-{number}")
    assert world.resource_manager.applied == [PATCH]


async def test_the_same_message_five_times_at_once_is_one_update(world: World) -> None:
    queued(world)
    await asyncio.gather(*(apply(world, holder=f"attempt-{number}") for number in range(5)))
    assert world.resource_manager.applied == [PATCH]
    for message, _ in put_back(world):
        await apply(world, message, holder="later")
    assert world.resource_manager.applied == [PATCH]


@pytest.mark.parametrize("state", ["pending", "applied", "compliant", "failed", "offline"])
async def test_a_target_that_has_moved_on_is_not_written(world: World, state: str) -> None:
    queued(world, state=state)
    await apply(world)
    assert (world.resource_manager.calls, put_back(world)) == (0, [])


async def test_a_message_of_an_older_dispatch_is_a_duplicate(world: World) -> None:
    queued(world, dispatch=2)
    await apply(world)
    assert (world.resource_manager.calls, put_back(world)) == (0, [])


async def test_what_is_not_visible_yet_is_waited_for_but_not_for_ever(world: World) -> None:
    queued(world, dispatch=0)
    await apply(world)
    assert put_back(world) == [(replace(MESSAGE, attempt=1), at(5))]
    await apply(world, replace(MESSAGE, attempt=10))
    assert len(put_back(world)) == 1


async def test_a_target_that_does_not_exist_yet_is_waited_for(world: World) -> None:
    await apply(world)
    assert put_back(world) == [(replace(MESSAGE, attempt=1), at(5))]


@pytest.mark.parametrize("state", ["superseded", "aborted", "paused", "rolling-back", "rolled-back"])
async def test_a_rollout_that_does_not_go_on_writes_nothing(world: World, state: Any) -> None:
    queued(world, rollout=a_rollout(state=state))
    await apply(world)
    assert (target(world).state, world.resource_manager.calls) == ("pending", 0)


@pytest.mark.parametrize("state", ["rolling-back", "rolled-back"])
async def test_a_rollback_writes_what_each_target_had(world: World, state: Any) -> None:
    queued(world, rollout=a_rollout(state=state), goal="back")
    await apply(world)
    assert [patch.pin.revision for patch in world.resource_manager.applied] == [sha(0)]


async def test_after_its_window_has_closed_nothing_is_written_any_more(world: World) -> None:
    closed = Calendar(windows=(Window(time_zone="UTC", days=(0,), start="08:00", end="11:59"),))  # NOW is a Monday's noon
    queued(world, rollout=a_rollout(calendars=(Calendar(), closed)), calendar=1)
    await apply(world)
    assert (target(world).state, world.resource_manager.calls) == ("pending", 0)


async def test_a_finished_rollout_still_catches_up(world: World) -> None:
    queued(world, rollout=a_rollout(state="succeeded"))
    await apply(world)
    assert world.resource_manager.applied == [PATCH]


async def test_an_older_change_never_writes_over_a_newer_one(world: World) -> None:
    queued(world, rollout=a_rollout(id="rollout-2", sequence=2, revision=sha(2)))
    queued(world)
    await apply(world, replace(MESSAGE, rollout_id="rollout-2"))
    await apply(world)
    assert [patch.commit for patch in world.resource_manager.applied] == [sha(2)]
    assert (target(world).state, target(world).rejection, target(world).has_news) == ("queued", OVERTAKEN, True)


async def test_a_newer_change_writes_over_an_older_one(world: World) -> None:
    queued(world)
    queued(world, rollout=a_rollout(id="rollout-2", sequence=2, revision=sha(2)))
    await apply(world)
    await apply(world, replace(MESSAGE, rollout_id="rollout-2"))
    assert [patch.commit for patch in world.resource_manager.applied] == [sha(1), sha(2)]
    assert record(world).rollout_id == "rollout-2"


async def test_while_someone_else_has_the_turn_it_waits(world: World) -> None:
    queued(world)
    cluster, configuration = cluster_id(resource_id(0)), configuration_id(resource_id(0))
    other = Configuration(id=configuration, cluster_id=cluster, subscription="sub-1", holder="other", held_until=at(50))
    world.configurations.kept.put((cluster, configuration), other)
    await apply(world)
    assert put_back(world) == [(MESSAGE, at(51))]
    assert (target(world).slot, world.resource_manager.calls) == (at(51), 0)
    world.clock.now = at(51)
    await apply(world)
    assert world.resource_manager.applied == [PATCH]


async def test_who_takes_the_turn_at_the_same_time_decides_again(world: World) -> None:
    queued(world)
    cluster, configuration = cluster_id(resource_id(0)), configuration_id(resource_id(0))
    newer = Configuration(id=configuration, cluster_id=cluster, subscription="sub-1", sequence=9, rollout_id="rollout-9")
    world.configurations.kept.meanwhile = lambda: world.configurations.kept.put((cluster, configuration), newer)
    await apply(world)
    assert (target(world).rejection, world.resource_manager.calls) == (OVERTAKEN, 0)
    assert record(world) == newer


FAILURES: list[tuple[SluiceError, float]] = [
    (Unavailable("down", status=503), 2),
    (Unavailable("down", status=500, retry_after=17.0), 17),
    (Busy("another operation", status=409), 30),
    (Busy("another operation", status=409, retry_after=5.0), 5),
    (Throttled("slow", status=429, retry_after=40.0), 40),
    (Throttled("slow", status=429), 2),
]


@pytest.mark.parametrize(("error", "seconds"), FAILURES, ids=lambda value: getattr(value, "status", value))
async def test_what_may_work_later_is_put_back_with_a_delay(world: World, error: SluiceError, seconds: float) -> None:
    queued(world)
    world.resource_manager.answers = [error]
    await apply(world)
    ((message, until),) = put_back(world)
    assert message == replace(MESSAGE, attempt=1)
    assert until == at(seconds)
    assert (target(world).state, target(world).slot) == ("queued", until)
    assert (record(world).holder, record(world).applied_at) == ("", None)
    world.clock.now = until
    await apply(world, message, holder="two")
    assert world.resource_manager.applied == [PATCH]


async def test_without_a_wish_of_azure_the_waits_double_up_to_five_minutes(world: World) -> None:
    queued(world)
    waits = []
    for attempt in [0, 1, 2, 6, 7, 8, 9, 50, 5000]:
        world.resource_manager.answers = [Unavailable("down", status=503)]
        started = world.clock()
        await apply(world, replace(MESSAGE, attempt=attempt))
        waits.append((put_back(world)[-1][1] - started).total_seconds())
        world.clock.now = put_back(world)[-1][1]
    assert waits == [2, 4, 8, 128, 256, 300, 300, 300, 300]


async def test_a_429_pushes_the_pace_back_for_everyone(world: World) -> None:
    queued(world)
    world.resource_manager.answers = [Throttled("slow", status=429, retry_after=40.0)]
    await apply(world)
    assert (await world.pacer.reserve("sub-1", 1))[0] > at(40)
    assert (await world.pacer.reserve("sub-2", 1))[0] == NOW


@pytest.mark.parametrize(
    ("error", "missing", "reason"),
    [
        (Rejected("no such branch", code="BadRequest", status=400), False, "BadRequest"),
        (Rejected("not allowed", code="AuthorizationFailed", status=403), False, "AuthorizationFailed"),
        (Rejected("gone", code="ResourceNotFound", status=404), True, "ResourceNotFound"),
        (Rejected("gone", code="404", status=404), True, "404"),
    ],
    ids=["400", "403", "404", "404 without a code"],
)
async def test_what_azure_refuses_for_good_is_left_to_the_rollout_to_judge(
    world: World, error: Rejected, missing: bool, reason: str
) -> None:
    queued(world)
    world.resource_manager.answers = [error]
    await apply(world)
    rejection = target(world).rejection
    assert rejection is not None
    assert (rejection.code, rejection.missing, target(world).state) == (reason, missing, "queued")
    assert (put_back(world), record(world).holder) == ([], "")
    await world.step()("rollout-1")
    assert target(world).state == ("skipped" if missing else "failed")


async def test_an_answer_that_never_came_keeps_the_turn_so_that_nothing_newer_is_undone(world: World) -> None:
    queued(world)
    queued(world, rollout=a_rollout(id="rollout-2", sequence=2, revision=sha(2)))
    world.resource_manager.answers = [Unavailable("no answer", unanswered=True)]
    await apply(world)
    assert put_back(world) == [(replace(MESSAGE, attempt=1), at(121))]
    await apply(world, replace(MESSAGE, rollout_id="rollout-2"))
    assert world.resource_manager.applied == []
    world.clock.now = at(121)
    await apply(world, replace(MESSAGE, rollout_id="rollout-2"), holder="two")
    assert [patch.commit for patch in world.resource_manager.applied] == [sha(2)]


async def test_an_instance_that_dies_keeps_the_turn_until_its_lease_ends(world: World) -> None:
    queued(world)
    world.resource_manager.answers = [Killed()]
    with pytest.raises(Killed):
        await apply(world)
    assert record(world).holder == "one"
    await apply(world, holder="two")
    ((message, until),) = put_back(world)
    assert (message, until, world.resource_manager.applied) == (MESSAGE, at(121), [])
    world.clock.now = until
    await apply(world, message, holder="three")
    assert world.resource_manager.applied == [PATCH]


@pytest.mark.parametrize("write", range(1, 5))
async def test_an_instance_that_dies_at_any_write_leaves_the_update_to_the_next_attempt(world: World, write: int) -> None:
    queued(world)
    world.faults.die_at = write
    try:
        await apply(world)
    except Killed:
        await apply(world, holder="two")
        world.clock.pass_(121)
        await apply(world, holder="three")
    assert target(world).state == "applied"
    assert 1 <= len(world.resource_manager.applied) <= 2
    if write != 2:  # at the second write ARM has answered, and nobody but the dead instance knows
        assert world.resource_manager.applied == [PATCH]
    assert world.audit.actions() == ["update.applied"]


async def test_a_message_that_missed_its_slot_asks_for_a_new_one(world: World) -> None:
    queued(world)
    world.clock.pass_(30)
    await world.pacer.reserve("sub-1", 400)
    await apply(world)
    ((message, until),) = put_back(world)
    assert (message, world.resource_manager.calls) == (MESSAGE, 0)
    assert until - world.clock() > timedelta(seconds=15)
    world.clock.now = until
    await apply(world)
    assert world.resource_manager.applied == [PATCH]


async def test_a_late_message_goes_at_once_where_there_is_room(world: World) -> None:
    queued(world)
    world.clock.pass_(30)
    await apply(world)
    assert world.resource_manager.applied == [PATCH]


async def test_a_cluster_that_was_away_for_too_long_is_written_again(world: World) -> None:
    queued(world)
    await apply(world)
    world.clock.now += ARM_KEEPS_UPDATE + timedelta(seconds=1)
    queued(world, dispatch=2, slot=world.clock())
    await apply(world, replace(MESSAGE, dispatch=2))
    assert world.resource_manager.applied == [PATCH, PATCH]


async def test_a_second_dispatch_finds_what_the_first_has_done(world: World) -> None:
    queued(world)
    await apply(world)
    world.clock.pass_(60)
    queued(world, dispatch=2, slot=world.clock())
    await apply(world, replace(MESSAGE, dispatch=2))
    assert world.resource_manager.applied == [PATCH]
    assert (target(world).state, target(world).applied_at) == ("applied", NOW)


async def test_the_outcome_is_recorded_on_the_target_as_it_is_then(world: World) -> None:
    queued(world)

    def observed() -> None:
        world.rollouts.kept_targets.put(("rollout-1", "target-000"), replace(target(world), reason="someone was here"))

    world.resource_manager.meanwhile = observed
    world.rollouts.kept_targets.meanwhile = observed
    await apply(world)
    assert (target(world).state, target(world).reason) == ("applied", "someone was here")


async def test_a_target_that_was_dispatched_again_meanwhile_is_left_alone(world: World) -> None:
    queued(world)
    world.resource_manager.meanwhile = lambda: queued(world, dispatch=2, slot=at(5))
    await apply(world)
    assert (target(world).state, target(world).dispatch) == ("queued", 2)


async def test_the_rollout_that_wrote_it_last_waits_for_it_no_longer(world: World) -> None:
    queued(world)
    await apply(world)
    queued(world, rollout=a_rollout(id="rollout-2", sequence=2, revision=sha(2), route="another"))
    world.rollouts.kept_targets.meanwhile = lambda: world.rollouts.kept_targets.put(
        ("rollout-1", "target-000"), replace(target(world), reason="someone was here")
    )
    await apply(world, replace(MESSAGE, rollout_id="rollout-2"))
    assert (target(world).state, target(world).rejection, target(world).has_news) == ("applied", OVERTAKEN, True)
    assert target(world).reason == "someone was here"
    assert (target(world, "rollout-2").state, world.resource_manager.calls) == ("applied", 2)


async def test_what_has_arrived_is_not_taken_back_from_the_rollout_that_brought_it(world: World) -> None:
    queued(world)
    await apply(world)
    world.rollouts.kept_targets.put(("rollout-1", "target-000"), replace(target(world), state="compliant"))
    queued(world, rollout=a_rollout(id="rollout-2", sequence=2, revision=sha(2), route="another"))
    await apply(world, replace(MESSAGE, rollout_id="rollout-2"))
    assert (target(world).state, target(world).rejection) == ("compliant", None)
