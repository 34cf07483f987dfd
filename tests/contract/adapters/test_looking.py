"""Looking at one fluxConfiguration through Azure Resource Manager."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from adapter_fleet import Fleet, FleetMaker, now
from azure.mgmt.kubernetesconfiguration.fluxconfigurations.aio import KubernetesConfigurationFluxConfigurationsMgmtClient
from msgspec.structs import replace

from shared.azure.credential import AsyncCredential
from shared.azure.inventory import GraphInventory
from shared.azure.resource_graph import GraphFleet
from shared.azure.resource_manager import ArmResourceManager
from shared.domain.errors import Rejected, Throttled, Unavailable
from shared.domain.fleet import Seen
from shared.domain.observations import MISSING
from shared.domain.pins import Pin
from shared.domain.rollouts import Target, target_id

AUDIENCE = "https://management.azure.com"


def target_of(fleet: Fleet) -> Target:
    configuration = fleet.configuration()
    names = {"configuration_id": configuration, "configuration": "platform", "cluster": fleet.cluster()}
    pin = Pin(revision=fleet.head, branch="main")
    return Target(id=target_id(configuration), rollout_id="r", stage=0, order=0, subscription=fleet.subscriptions[0], pin=pin, **names)


@pytest.fixture
async def arm(credential: AsyncCredential, origin: str) -> AsyncIterator[ArmResourceManager]:
    made = ArmResourceManager(credential, origin, AUDIENCE, now)
    yield made
    await made.close()


async def test_one_configuration_is_what_resource_manager_says_now(
    arm: ArmResourceManager, credential: AsyncCredential, origin: str, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet(1, name="looked-at")
    seen = await arm.observe(fleet.configuration())
    graph = GraphFleet(credential, origin, AUDIENCE, (), now)
    [item] = [item async for item in graph.configurations("looked-at")]
    await graph.close()
    assert seen.connectivity == ""
    assert seen.says_same(replace(item.observation, connectivity=""))
    assert (seen.compliance, fleet.head in seen.revision) == ("Compliant", True)


async def test_one_configuration_is_seen_as_the_whole_fleet_shows_it(
    arm: ArmResourceManager, credential: AsyncCredential, origin: str, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet(1)
    await arm.restore(fleet.configuration(), Pin(revision=fleet.head, branch="main"), resume=True)
    graph = GraphFleet(credential, origin, AUDIENCE, (), now)

    async def shown() -> Seen | None:
        found = [sighting.configuration async for sighting in GraphInventory(graph).look()]
        return next((one for one in found if one and one.id == fleet.configuration()), None)

    seen = await arm.seen(fleet.configuration())
    assert seen is not None
    assert (seen.branch, seen.commit, seen.suspended, seen.name) == ("main", fleet.head, False, "platform")
    async with asyncio.timeout(60):
        while await shown() != await arm.seen(fleet.configuration()):  # noqa: ASYNC110 -- another process, which tells nobody
            await asyncio.sleep(0.1)
    await graph.close()
    assert await arm.seen(f"{fleet.configuration()}-gone") is None


async def test_an_artifact_is_seen_with_its_digest(
    arm: ArmResourceManager, credential: AsyncCredential, origin: str, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet(1)
    where = (fleet.cluster(), "platform")
    client = KubernetesConfigurationFluxConfigurationsMgmtClient(
        credential, fleet.subscriptions[0], base_url=origin, credential_scopes=[f"{AUDIENCE}/.default"]
    )
    artifact = {"url": "oci://contoso.azurecr.io/manifests", "repositoryRef": {"tag": "v1", "digest": f"sha256:{'cd' * 32}"}}
    properties = {"sourceKind": "OCIRepository", "gitRepository": None, "ociRepository": artifact, "suspend": True}
    async with client:
        await client.flux_configurations.begin_update(
            "fleet", "Microsoft.Kubernetes", "connectedClusters", *where, {"properties": properties}, polling=False
        )
    seen = await arm.seen(fleet.configuration())
    assert seen is not None
    assert (seen.source_kind, seen.url, seen.tag, seen.digest) == ("OCIRepository", artifact["url"], "v1", f"sha256:{'cd' * 32}")
    assert (seen.branch, seen.commit, seen.suspended) == ("", "", True)


async def test_a_configuration_that_fails_says_why(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1, name="fails-to-fetch")
    await arm.pin(target_of(fleet), Pin(revision="ab" * 20, branch="main"))
    async with asyncio.timeout(60):
        while (seen := await arm.observe(fleet.configuration())).compliance != "Non-Compliant":  # noqa: ASYNC110 -- another process, which tells nobody
            await asyncio.sleep(0.1)
    assert seen.message.startswith("GitRepository platform")


async def test_a_configuration_that_is_not_there_is_missing(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet()
    assert (await arm.observe(f"{fleet.configuration()}-gone")).compliance == MISSING
    with pytest.raises(Rejected):
        await arm.observe("/subscriptions/a")


async def test_a_look_that_is_refused_says_what_it_is(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet()
    for status, expected in ((403, Rejected), (429, Throttled), (503, Unavailable)):
        await fleet.fail(method="GET", status=status, code="No")
        with pytest.raises(expected):
            await arm.observe(fleet.configuration())
