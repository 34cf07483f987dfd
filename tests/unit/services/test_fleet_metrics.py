"""What is measured of the fleet, read through OpenTelemetry's own SDK."""

import pytest
from azure.core.exceptions import HttpResponseError
from builders import at, sha
from counted import Since, counted
from fleet_fakes import FleetWorld
from sightings import a_cluster, seen

from shared.azure.errors import azure_errors
from shared.domain.errors import Throttled, Unavailable
from shared.domain.fleet import Sighting
from shared.metrics import CLUSTERS, CONFIGURATIONS, DRIFTED, THROTTLED


def shown(number: int, connectivity: str = "Connected", **fields: object) -> Sighting:
    return Sighting(cluster=a_cluster(number, connectivity=connectivity), configuration=seen(number, **fields))


async def test_a_sweep_measures_the_whole_fleet_also_where_nothing_has_changed() -> None:
    world = FleetWorld()
    world.ask(0)
    world.inventory.shown = [
        shown(0),
        shown(1, "Offline", compliance="Non-Compliant"),
        shown(2, "Connecting", compliance="Pending"),
    ]
    counted(CLUSTERS)
    for _ in range(2):
        await world.sweep()
        assert counted(CLUSTERS) == {("connected",): 1, ("offline",): 1, ("expired",): 0, ("unknown",): 1}
    await world.sweep()
    assert counted(CONFIGURATIONS) == {("compliant",): 1, ("non-compliant",): 1, ("unknown",): 1}
    await world.sweep()
    assert set(counted(DRIFTED).values()) == {0}


async def test_drift_is_measured_by_its_kind_and_what_is_missing_is_not_counted() -> None:
    world = FleetWorld()
    world.ask(0)
    world.inventory.shown = [shown(0, commit=sha(5)), shown(1)]
    await world.sweep()
    world.inventory.shown = [shown(0, commit=sha(5))]
    world.clock.now = at(60)
    counted(CLUSTERS)
    await world.sweep()
    assert counted(DRIFTED)["spec",] == 1
    await world.sweep()
    assert counted(CLUSTERS)["connected",] == 1


@pytest.mark.parametrize(("status", "meant", "grown"), [(429, Throttled, {("Azure Resource Manager",): 1}), (503, Unavailable, {})])
def test_an_answer_429_is_counted_by_service(status: int, meant: type[Exception], grown: dict[tuple[str, ...], int]) -> None:
    since, error = Since(THROTTLED), HttpResponseError("later")
    error.status_code = status
    with pytest.raises(meant), azure_errors("Azure Resource Manager"):
        raise error
    assert since.grown() == grown
