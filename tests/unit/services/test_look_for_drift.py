"""Drift is found within one event, and once whatever else looks."""

from typing import Any

import pytest
from builders import at, resource_id, sha
from fakes import Killed
from fleet_fakes import FleetWorld
from msgspec.structs import replace
from sightings import a_cluster, asked, page_of, remediate, seen

from shared.domain import clusters
from shared.domain.errors import Rejected, Throttled, Unavailable
from shared.domain.fleet import Drift, Page, Sighting
from shared.domain.fleet_changes import Writer
from shared.domain.foreign_writes import ForeignWrite
from shared.domain.messages import RESTORATIONS
from shared.domain.pins import Pin
from shared.domain.selectors import Selector

KEY = resource_id(0)
CLUSTER = a_cluster()
EVE = "eve@contoso.example"


@pytest.fixture
async def world() -> FleetWorld:
    return await a_world()


async def a_world() -> FleetWorld:
    """Commit 1 was asked of one cluster, and a sweep has seen it there a minute ago."""
    made = FleetWorld(policy=remediate(budget=5))
    made.ask()
    shows(made)
    made.flux_configurations.shown[KEY] = seen()
    await made.sweep()
    made.pages.saved.clear()
    made.clock.pass_(60)
    return made


def shows(world: FleetWorld, **fields: Any) -> None:
    """What Resource Graph shows."""
    world.inventory.shown = [Sighting(cluster=CLUSTER, configuration=seen(**fields))]


async def changed(world: FleetWorld, **fields: Any) -> ForeignWrite:
    """Eve changes it now. Azure Resource Manager shows it at once."""
    world.flux_configurations.shown[KEY] = seen(**({"commit": sha(5)} | fields))
    return await wrote(world)


async def wrote(world: FleetWorld, **fields: Any) -> ForeignWrite:
    values: dict[str, Any] = {
        "configuration_id": KEY,
        "subscription": "sub-1",
        "operation": "write",
        "caller": EVE,
        "at": world.clock(),
        "event_id": f"event-{world.clock():%H%M%S}",
    }
    write = ForeignWrite(**values | fields)
    await world.foreign_writes.record(write)
    return write


async def event(world: FleetWorld, write: ForeignWrite) -> None:
    look = await world.look_for_drift()
    await look(write)


def page(world: FleetWorld) -> Page:
    return world.pages.kept.now(page_of())


def drift(world: FleetWorld) -> Drift | None:
    return page(world).members[CLUSTER.id].entries[KEY].drift


def orders(world: FleetWorld) -> set[str]:
    return {message.key for message in world.queue.messages(RESTORATIONS)}


async def put_back(world: FleetWorld) -> None:
    for message in world.queue.messages(RESTORATIONS):
        await world.restore()(message, holder="restore")


async def test_it_is_told_and_put_back_without_any_sweep(world: FleetWorld) -> None:
    await event(world, await changed(world))
    assert world.told() == [("drift.found", "Drift: 1 fluxConfiguration")]
    [announcement] = world.deliveries.kept.all()[0].announcements
    assert f"by {EVE} at 2026-11-23 12:01 UTC; is put back" in announcement.clusters[0].reason
    assert announcement.summary == "Found when someone wrote it, route platform."
    assert (world.audit.actions(), page(world).asides) == (["drift.found"], ())
    await put_back(world)
    assert [key for key, *_ in world.restorations.restored] == [KEY]


async def test_duplicates_change_nothing(world: FleetWorld) -> None:
    write = await changed(world)
    await event(world, write)
    before, saved = page(world), len(world.pages.saved)
    for _ in range(3):
        world.clock.pass_(1)
        await event(world, write)
    assert (page(world), len(world.pages.saved)) == (before, saved)
    assert (world.kinds(), len(world.queue.messages(RESTORATIONS))) == (["drift.found"], 1)


@pytest.mark.parametrize("lag", [True, False])
async def test_event_first_then_sweeps(world: FleetWorld, lag: bool) -> None:
    await event(world, await changed(world))
    if not lag:
        shows(world, commit=sha(5))
    for _ in range(3):
        world.clock.pass_(60)
        await world.sweep()
    assert (world.kinds(), len(orders(world)), drift(world) is not None) == (["drift.found"], 1, True)
    await put_back(world)
    shows(world)
    await world.sweep()
    assert (sorted(world.kinds()), len(world.restorations.restored)) == (["drift.found", "drift.remediated"], 1)


async def test_sweep_first_then_event(world: FleetWorld) -> None:
    write = await changed(world)
    shows(world, commit=sha(5))
    world.restorations.writers[KEY] = Writer(by="an application", at=world.clock())
    await world.sweep()
    [announcement] = world.deliveries.kept.all()[0].announcements
    assert f"by {EVE}" in announcement.clusters[0].reason, "as the event tells it"
    await event(world, write)
    assert (world.kinds(), len(world.queue.messages(RESTORATIONS))) == (["drift.found"], 1)
    await put_back(world)
    world.flux_configurations.shown[KEY] = seen()
    world.clock.pass_(5)
    await event(world, write)
    assert (world.kinds(), len(world.restorations.restored)) == (["drift.found"], 1)


async def test_a_newer_write_that_azure_shows_counts_before_an_event_s(world: FleetWorld) -> None:
    await changed(world)
    shows(world, commit=sha(5))
    world.clock.pass_(30)
    world.restorations.writers[KEY] = Writer(by="an application", at=world.clock())
    await world.sweep()
    found = drift(world)
    assert found is not None
    assert found.by == "an application"


async def test_an_event_during_a_sweep_whose_rows_are_older(world: FleetWorld) -> None:
    """The sweep has read its page before: it reads it again, and leaves what the event has found."""
    write = await changed(world)
    shows(world, revision=f"main@sha1:{sha(1)}", compliance="Pending")
    found: list[Page] = []
    other = await a_world()
    await event(other, await changed(other))

    def meanwhile() -> None:
        found.append(page(other))
        world.pages.kept.put(page_of(), page(other))

    world.pages.kept.meanwhile = meanwhile
    await world.sweep()
    [was] = (member.entries[KEY] for member in found[0].members.values())
    assert (drift(world), world.kinds()) == (was.drift, [])
    assert (await world.pages.sweep())[0].finished == 2, "the sweep went on to its end"
    await event(world, write)
    assert drift(world) is not None


async def test_a_sweep_that_saves_during_the_look_is_not_written_over(world: FleetWorld) -> None:
    swept = replace(page(world), sweep=9)
    world.flux_configurations.meanwhile = lambda: world.pages.kept.put(page_of(), swept)
    await event(world, await changed(world))
    assert (page(world).sweep, world.kinds(), len(world.flux_configurations.asked)) == (9, ["drift.found"], 2)


async def test_one_that_dies_anywhere_tells_once_when_the_event_comes_again_or_the_next_sweep() -> None:
    for by_sweep in (True, False):
        for die_at in range(1, 100):
            world = await a_world()
            write = await changed(world)
            shows(world, commit=sha(5))
            world.faults.writes, world.faults.die_at = 0, die_at
            died = False
            try:
                await event(world, write)
            except Killed:
                died = True
            world.faults.die_at = None
            await (world.sweep() if by_sweep else event(world, write))
            assert (world.kinds(), len(orders(world))) == (["drift.found"], 1), die_at
            assert (page(world).asides, world.audit.actions()) == ((), ["drift.found"])
            if not died:
                assert die_at > 3
                break


async def test_what_is_said_while_another_saves_the_page_is_said_once(world: FleetWorld) -> None:
    write = await changed(world)

    def between() -> None:
        """When the page is saved with what is to be said, and not yet without it."""
        world.pages.kept.put(page_of(), replace(page(world), sweep=page(world).sweep + 1))

    world.deliveries.kept.meanwhile = between
    await event(world, write)
    assert (world.kinds(), page(world).asides, len(orders(world))) == (["drift.found"], (), 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"applied_at": at(61)},
        {"applied_at": None},
        {"holder": "apply", "held_until": at(120)},
        {"pin": None},
    ],
)
async def test_what_was_not_asked_or_is_being_written_or_was_since_is_not_asked_after(world: FleetWorld, fields: dict[str, Any]) -> None:
    world.ask(**fields)
    await event(world, await changed(world))
    assert (world.flux_configurations.asked, world.pages.saved, world.kinds()) == ([], [], [])


async def test_an_update_of_ours_during_the_look_is_no_drift(world: FleetWorld) -> None:
    newer = Pin(revision=sha(5), branch="main")
    write = await changed(world)
    world.flux_configurations.meanwhile = lambda: world.ask(what=asked(pin=newer), applied_at=at(61))
    await event(world, write)
    assert (world.pages.saved, world.kinds()) == ([], [])


@pytest.mark.parametrize("error", [Unavailable("ARM"), Throttled("ARM", retry_after=7), Rejected("no", code="403"), TimeoutError()])
async def test_what_cannot_be_seen_is_left_to_the_sweep(world: FleetWorld, error: Exception) -> None:
    write = await changed(world)
    world.flux_configurations.down = error
    await event(world, write)
    assert world.pages.saved == []
    shows(world, commit=sha(5))
    await world.sweep()
    assert world.kinds() == ["drift.found"]


class TestClusters:
    def in_azure(self, world: FleetWorld) -> None:
        names = ("id", "subscription", "resource_group", "location", "distribution", "kubernetes_version", "tags", "connectivity")
        world.arm.add(clusters.Cluster(cluster_name=CLUSTER.name, **{name: getattr(CLUSTER, name) for name in names}))

    async def test_one_that_no_sweep_has_shown_is_asked_for(self) -> None:
        world = FleetWorld(policy=remediate(selector=Selector(tags={"ring": "canary"})))
        world.ask()
        self.in_azure(world)
        await event(world, await changed(world))
        assert (world.kinds(), len(orders(world))) == (["drift.found"], 1)
        shows(world, commit=sha(5))
        await world.sweep()
        assert (world.kinds(), page(world).members[CLUSTER.id].cluster) == (["drift.found"], CLUSTER)

    async def test_a_deleted_fluxconfiguration_is_missing_at_once(self, world: FleetWorld) -> None:
        self.in_azure(world)
        del world.flux_configurations.shown[KEY]
        await event(world, await wrote(world, operation="delete"))
        found = drift(world)
        assert found is not None
        assert (found.kind, world.kinds(), orders(world)) == ("missing", ["drift.found"], set())

    async def test_but_not_where_its_cluster_has_gone_too(self, world: FleetWorld) -> None:
        del world.flux_configurations.shown[KEY]
        await event(world, await wrote(world, operation="delete"))
        assert (world.pages.saved, world.kinds()) == ([], [])
