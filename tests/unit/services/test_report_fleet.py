"""People ask about the fleet."""

from typing import Any

import pytest
from builders import NOW, resource_id, sha
from fleet_fakes import FleetWorld
from msgspec.structs import replace
from sightings import HEALTHY, a_cluster, seen

from shared.domain.errors import Refused
from shared.domain.fleet import Sighting
from shared.services.report_fleet import FleetFilter, ReportFleet


@pytest.fixture
async def world() -> FleetWorld:
    """Three clusters: one has drifted, one is offline and out of support, one has nothing on it."""
    made = FleetWorld()
    old = replace(HEALTHY, version="1.20.0")
    made.ask()
    made.inventory.shown = [
        Sighting(cluster=a_cluster(), configuration=seen(revision=f"main/{sha(5)}", commit=sha(5))),
        Sighting(cluster=a_cluster(1, connectivity="Offline", extension=old), configuration=seen(1, compliance="Non-Compliant")),
        Sighting(cluster=a_cluster(2, extension=None, policies=("deny",))),
    ]
    await made.sweep()
    return made


async def ask(world: FleetWorld, limit: int = 100, continuation: str = "", **wanted: str) -> Any:
    return await ReportFleet(world.pages)(FleetFilter(**wanted), limit=limit, continuation=continuation)


async def names(world: FleetWorld, **wanted: str) -> list[str]:
    return [row["cluster"] for row in (await ask(world, **wanted))["fleet"]]


async def test_the_fleet_is_counted(world: FleetWorld) -> None:
    answer = await ask(world)
    assert answer["sweptAt"] == NOW.isoformat()
    assert answer["counts"] == {
        "clusters": 3,
        "configurations": 2,
        "connectivity": {"Connected": 2, "Offline": 1},
        "compliance": {"Compliant": 1, "Non-Compliant": 1},
        "drift": {"spec": 1},
        "extension": {"healthy": 2, "none": 1},
        "fluxVersions": {"1.24.1": 1, "1.20.0": 1},
        "fluxUnsupported": 1,
        "policyNonCompliant": 1,
    }


async def test_a_row_says_what_was_asked_and_how_it_departs(world: FleetWorld) -> None:
    first, second, third = (await ask(world))["fleet"]
    assert (first["configuration"], first["resourceId"], first["route"]) == ("platform", resource_id(0), "platform")
    assert first["askedRevision"] == sha(1)
    assert (first["drift"]["kind"], first["drift"]["by"], first["drift"]["note"]) == ("spec", None, "only reported")
    assert second["drift"] is None
    assert second["fluxExtension"]["supported"] is False
    assert (third["fluxExtension"], third["policies"], "configuration" in third) == (None, ("deny",), False)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"compliance": "non-compliant"}, ["cluster-001"]),
        ({"connectivity": "Connected"}, ["cluster-000", "cluster-002"]),
        ({"drift": "any"}, ["cluster-000"]),
        ({"drift": "spec"}, ["cluster-000"]),
        ({"drift": "missing"}, []),
        ({"drift": "none"}, ["cluster-001", "cluster-002"]),
        ({"revision": sha(5)}, ["cluster-000"]),
        ({"revision": f"main@sha1:{sha(1)}"}, ["cluster-001"]),
        ({"revision": "000000"}, ["cluster-000", "cluster-001"]),
        ({"cluster": "CLUSTER-002"}, ["cluster-002"]),
        ({"cluster": "cluster-002", "drift": "any"}, []),
    ],
)
async def test_rows_are_chosen(world: FleetWorld, wanted: dict[str, str], expected: list[str]) -> None:
    assert await names(world, **wanted) == expected


async def test_pages_follow_each_other(world: FleetWorld) -> None:
    seen_rows, continuation = [], ""
    while continuation is not None:
        answer = await ask(world, limit=1, continuation=continuation)
        seen_rows += [row["cluster"] for row in answer["fleet"]]
        continuation = answer["continuation"]
        assert answer["matching"] == 3
    assert seen_rows == ["cluster-000", "cluster-001", "cluster-002"]


async def test_what_cannot_be_asked_is_refused(world: FleetWorld) -> None:
    with pytest.raises(Refused, match="drift must be one of"):
        await ask(world, drift="everything")
    with pytest.raises(Refused, match="continuation"):
        await ask(world, continuation="x" * 3000)


async def test_before_the_first_look_there_is_nothing() -> None:
    answer = await ask(FleetWorld())
    assert (answer["sweptAt"], answer["fleet"], answer["counts"]["clusters"]) == (None, [], 0)
