"""People ask what a cluster ran when."""

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, resource_id, sha
from fleet_fakes import FleetWorld
from msgspec.structs import replace
from sightings import a_cluster, seen

from shared.domain.audit import Entry
from shared.domain.errors import NotFound, Refused
from shared.domain.fleet import Sighting
from shared.domain.rollouts import target_id
from shared.services.history import History


def an_entry(number: int, configuration: int = 0, **fields: Any) -> Entry:
    values: dict[str, Any] = {
        "id": f"entry-{configuration}-{number}",
        "stream": target_id(resource_id(configuration)),
        "at": NOW + timedelta(minutes=number),
        "actor": "sluice",
        "action": "target.compliant",
        "resource": resource_id(configuration),
        "cause": "rollout-1",
        "detail": {"revision": sha(number)},
    }
    return Entry(**values | fields)


@pytest.fixture
async def world() -> FleetWorld:
    """Two clusters of the fleet with a record or two each, and one that has left it."""
    made = FleetWorld()
    made.inventory.shown = [
        Sighting(cluster=a_cluster(), configuration=seen()),
        Sighting(cluster=a_cluster(1), configuration=seen(1)),
        Sighting(cluster=a_cluster(2)),
    ]
    await made.sweep()
    made.audit.streams.clear()
    for entry in (an_entry(1), an_entry(2, action="target.failed", detail={"reason": "no image"}), an_entry(3, configuration=1)):
        await made.audit.append(entry)
    await made.audit.append(an_entry(4, configuration=9))
    return made


async def ask(world: FleetWorld, cluster: str, limit: int = 100) -> Any:
    return await History(world.pages, world.audit)(cluster, limit=limit)


async def test_the_newest_comes_first(world: FleetWorld) -> None:
    answer = await ask(world, a_cluster().name.upper())

    assert answer["configurations"] == [resource_id(0).lower()]
    assert [(row["action"], row["revision"], row["reason"]) for row in answer["history"]] == [
        ("target.failed", "", "no image"),
        ("target.compliant", sha(1), ""),
    ]
    assert answer["history"][1] == {
        "at": (NOW + timedelta(minutes=1)).isoformat(),
        "configuration": resource_id(0).lower(),
        "action": "target.compliant",
        "revision": sha(1),
        "reason": "",
        "by": "sluice",
        "cause": "rollout-1",
    }


async def test_a_cluster_and_a_fluxconfiguration_are_known_by_their_arm_ids(world: FleetWorld) -> None:
    by_cluster = await ask(world, a_cluster(1).id.upper())
    by_configuration = await ask(world, resource_id(1).upper())

    assert by_cluster == by_configuration
    assert len(by_cluster["history"]) == 1


async def test_what_has_left_the_fleet_is_still_known(world: FleetWorld) -> None:
    assert [row["revision"] for row in (await ask(world, resource_id(9)))["history"]] == [sha(4)]


async def test_no_more_is_shown_than_wanted(world: FleetWorld) -> None:
    assert len((await ask(world, a_cluster().name, limit=1))["history"]) == 1
    assert len((await ask(world, a_cluster().name, limit=0))["history"]) == 1


async def test_a_shredded_record_keeps_its_moment(world: FleetWorld) -> None:
    stream = world.audit.streams[target_id(resource_id(0))]
    stream[0] = replace(stream[0], entry=None)

    assert (await ask(world, a_cluster().name))["history"][1] == {
        "at": (NOW + timedelta(minutes=1)).isoformat(),
        "configuration": resource_id(0).lower(),
        "action": "(shredded)",
    }


@pytest.mark.parametrize("cluster", ["nobody", a_cluster(2).name, "/subscriptions/s/none"])
async def test_an_unknown_cluster_is_not_found(world: FleetWorld, cluster: str) -> None:
    with pytest.raises(NotFound, match="the fleet has no such cluster"):
        await ask(world, cluster)


@pytest.mark.parametrize("cluster", ["", "x" * 1025])
async def test_what_is_no_name_is_refused(world: FleetWorld, cluster: str) -> None:
    with pytest.raises(Refused) as refused:
        await ask(world, cluster)
    assert refused.value.status == 400
