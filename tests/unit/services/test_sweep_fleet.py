"""The whole fleet is looked at."""

from typing import Any

import pytest
from builders import at, resource_id, sha
from fakes import Killed
from fleet_fakes import FleetWorld
from msgspec.structs import replace
from sightings import a_cluster, remediate, seen

from shared.domain.errors import Unavailable
from shared.domain.fleet import Sighting, page_number
from shared.domain.fleet_changes import Writer
from shared.domain.messages import RESTORATIONS
from shared.domain.pins import Pin

CLUSTERS = 40


@pytest.fixture
def world() -> FleetWorld:
    made = FleetWorld()
    made.inventory.shown = [shown(number) for number in range(CLUSTERS)]
    return made


def shown(number: int, cluster: dict[str, Any] | None = None, **fields: Any) -> Sighting:
    return Sighting(cluster=a_cluster(number, **(cluster or {})), configuration=seen(number, **fields))


def change(world: FleetWorld, number: int, cluster: dict[str, Any] | None = None, **fields: Any) -> None:
    world.inventory.shown[number] = shown(number, cluster, **fields)


async def test_a_look_that_shows_nothing_new_writes_no_page(world: FleetWorld) -> None:
    await world.sweep()
    first = len(world.pages.saved)
    assert first == len({page_number(a_cluster(number).id) for number in range(CLUSTERS)})
    world.clock.pass_(300)
    await world.sweep()
    assert (len(world.pages.saved), world.told()) == (first, [])


async def test_only_the_pages_of_what_changed_are_written(world: FleetWorld) -> None:
    await world.sweep()
    world.pages.saved.clear()
    for number in range(10):
        change(world, number, revision=f"main@sha1:{sha(7)}")
    await world.sweep()
    assert {page.id for page in world.pages.saved} == {f"{page_number(a_cluster(number).id):02d}" for number in range(10)}


async def test_a_storm_is_one_message_a_kind(world: FleetWorld) -> None:
    await world.sweep()
    for number in range(CLUSTERS):
        change(world, number, {"connectivity": "Offline"})
    await world.sweep()
    assert world.told() == [("cluster.offline", f"Offline: {CLUSTERS} clusters")]
    [delivery] = world.deliveries.kept.all()
    [announcement] = delivery.announcements
    assert (len(announcement.clusters), announcement.more_clusters) == (25, CLUSTERS - 25)


async def test_one_instance_at_a_time(world: FleetWorld) -> None:
    await world.sweep()
    stored, _ = await world.pages.sweep()
    world.pages.sweeps.put("sweep", replace(stored, number=2, holder="another", held_until=at(600)))
    await world.sweep()
    assert world.inventory.looks == 1
    world.clock.now = at(600)
    await world.sweep()
    assert world.inventory.looks == 2


async def test_one_that_takes_the_turn_at_the_same_moment_gives_way(world: FleetWorld) -> None:
    stored, _ = await world.pages.sweep()
    world.pages.sweeps.meanwhile = lambda: world.pages.sweeps.put("sweep", replace(stored, number=1, holder="another"))
    await world.sweep()
    assert world.inventory.looks == 0


async def test_one_that_lost_its_turn_writes_nothing_over_the_other_s(world: FleetWorld) -> None:
    await world.sweep()
    change(world, 0, {"connectivity": "Offline"})
    page = f"{page_number(a_cluster(0).id):02d}"
    newer = replace(world.pages.kept.now(page), sweep=9)
    world.pages.kept.meanwhile = lambda: world.pages.kept.put(page, newer)
    await world.sweep()
    assert (world.pages.kept.now(page), world.told()) == (newer, [])


async def test_a_fleet_that_cannot_be_asked_frees_the_turn(world: FleetWorld) -> None:
    world.inventory.down = Unavailable("graph")
    with pytest.raises(Unavailable):
        await world.sweep()
    assert world.pages.saved == []
    world.inventory.down = None
    await world.sweep()
    assert world.pages.saved != []


async def test_a_change_by_another_is_found_in_one_sweep_with_its_writer(world: FleetWorld) -> None:
    world.ask()
    await world.sweep()
    change(world, 0, commit=sha(5))
    world.restorations.writers[resource_id(0)] = Writer(by="eve@contoso.example", at=at(-30))
    await world.sweep()
    assert world.told() == [("drift.found", "Drift: 1 fluxConfiguration")]
    [announcement] = world.deliveries.kept.all()[0].announcements
    assert "by eve@contoso.example at 2026-11-23 11:59 UTC" in announcement.clusters[0].reason
    assert world.audit.actions() == ["drift.found"]
    for _ in range(3):
        world.clock.pass_(300)
        await world.sweep()
    assert (world.kinds(), world.queue.messages(RESTORATIONS)) == (["drift.found"], [])


async def test_a_writer_from_before_our_update_is_not_to_blame(world: FleetWorld) -> None:
    world.ask()
    await world.sweep()
    change(world, 0, commit=sha(5))
    world.restorations.writers[resource_id(0)] = Writer(by="sluice", at=at(-3600))
    await world.sweep()
    [announcement] = world.deliveries.kept.all()[0].announcements
    assert "someone unknown" in announcement.clusters[0].reason


async def test_drift_is_told_also_where_arm_does_not_answer(world: FleetWorld) -> None:
    world.ask()
    await world.sweep()
    change(world, 0, commit=sha(5))
    world.restorations.down = Unavailable("arm")
    await world.sweep()
    assert world.kinds() == ["drift.found"]


async def test_of_a_storm_only_some_writers_are_asked_for(world: FleetWorld) -> None:
    world.inventory.shown = [shown(number) for number in range(80)]
    for number in range(80):
        world.ask(number)
    await world.sweep()
    for number in range(80):
        change(world, number, commit=sha(5))
    await world.sweep()
    assert len(world.restorations.asked) == 50
    assert world.told() == [("drift.found", "Drift: 80 fluxConfigurations")]


async def test_an_update_that_began_during_the_look_is_no_drift(world: FleetWorld) -> None:
    world.ask()
    await world.sweep()
    change(world, 0, commit=sha(5))
    world.ask(applied_at=None, holder="apply", held_until=at(60))
    await world.sweep()
    assert world.told() == []


async def test_what_was_asked_is_read_only_since_the_sweep_before(world: FleetWorld) -> None:
    await world.sweep()
    world.clock.pass_(300)
    await world.sweep()
    assert world.records.since == [None, at(-900)]


async def test_putting_back_is_ordered_at_the_pace(world: FleetWorld) -> None:
    world.policy = remediate()
    world.ask()
    await world.sweep()
    change(world, 0, commit=sha(5))
    await world.sweep()
    [order] = world.queue.messages(RESTORATIONS)
    assert (order.rollout_id, order.dispatch, order.resume) == ("rollout-1", 1, False)
    assert "contoso" not in repr(order)
    assert "cluster-000" not in repr(order)
    assert world.pace.kept.now("sub-1.westeurope").theoretical_arrival is not None


@pytest.mark.parametrize("holds_drift", [True, False])
async def test_a_sweep_that_dies_anywhere_loses_nothing_and_tells_nothing_twice(holds_drift: bool) -> None:
    for die_at in range(1, 100):
        world = FleetWorld(policy=remediate())
        world.inventory.shown = [shown(number) for number in range(3)]
        if holds_drift:
            world.ask()
        await world.sweep()
        change(world, 0, commit=sha(5))
        change(world, 1, {"connectivity": "Offline"})
        change(world, 2, {"connectivity": "Expired"})
        world.faults.writes, world.faults.die_at = 0, die_at
        try:
            await world.sweep()
        except Killed:
            died = True
        else:
            died = False
        world.faults.die_at = None
        world.clock.pass_(601)
        await world.sweep()
        expected = ["cluster.expired", "cluster.offline", *(["drift.found"] if holds_drift else [])]
        assert sorted(world.kinds()) == expected, die_at
        keys = {message.key for message in world.queue.messages(RESTORATIONS)}
        assert len(keys) == (1 if holds_drift else 0), die_at
        if not died:
            assert die_at > 5
            return
    raise AssertionError("it dies for ever")


async def test_one_whose_turn_ended_during_its_look_leaves_the_turn_to_the_other(world: FleetWorld) -> None:
    await world.sweep()
    stored, _ = await world.pages.sweep()
    other = replace(stored, number=9, holder="another", held_until=at(900))
    world.inventory.meanwhile = lambda: world.pages.sweeps.put("sweep", other)
    await world.sweep()
    assert (await world.pages.sweep())[0] == other


async def test_an_update_during_the_look_is_judged_by_a_later_one(world: FleetWorld) -> None:
    """The look is slow: what was asked meanwhile has settled by its end, and yet could not be seen."""
    world.ask()
    await world.sweep()
    newer = Pin(revision=sha(2), branch="main")

    def updated() -> None:
        world.clock.pass_(10)
        world.ask(pin=newer, applied_at=world.clock())
        world.clock.pass_(400)

    world.inventory.meanwhile = updated
    await world.sweep()
    assert world.told() == []
    world.inventory.meanwhile = None
    await world.sweep()
    assert world.kinds() == ["drift.found"]
