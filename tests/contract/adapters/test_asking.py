"""Asking Resource Graph about the fleet."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from adapter_fleet import FleetMaker, now
from azure.mgmt.kubernetesconfiguration.fluxconfigurations.aio import KubernetesConfigurationFluxConfigurationsMgmtClient

from shared.azure.credential import AsyncCredential
from shared.azure.resource_graph import GraphFleet
from shared.domain.observations import FluxConfiguration

AUDIENCE = "https://management.azure.com"


@pytest.fixture
async def graph(credential: AsyncCredential, origin: str) -> AsyncIterator[GraphFleet]:
    made = GraphFleet(credential, origin, AUDIENCE, (), now)
    yield made
    await made.close()


async def found(graph: GraphFleet, term: str) -> list[FluxConfiguration]:
    return [item async for item in graph.configurations(term)]


async def test_a_configuration_comes_with_its_cluster(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1, name="one-of-a-kind")
    [item] = await found(graph, "one-of-a-kind")
    assert (item.id, item.name, item.url, item.branch) == (fleet.configuration(), "platform", fleet.url, "main")
    assert item.cluster_name == fleet.cluster()
    assert item.tags["ring"] in ("canary", "prod")
    assert item.location
    assert (item.resource_group, item.namespace) == ("fleet", "cluster-config")
    assert (item.observation.compliance, item.observation.connectivity) == ("Compliant", "Connected")
    assert fleet.head in item.observation.revision
    assert item.observation.reported_at is not None
    assert item.observation.reported_at <= item.observation.observed_at


async def test_its_kustomizations_come_with_their_values(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    kustomizations = {"apps": {"path": "apps", "postBuild": {"substitute": {"SITE": "berlin", "A.b": ""}}}, "infra": {"path": ""}}
    await make_fleet(1, name="with-values", kustomizations=kustomizations)
    [item] = await found(graph, "with-values")
    assert item.kustomizations == {"apps": {"SITE": "berlin", "A.b": ""}, "infra": {}}
    assert (item.source_kind, item.digest) == ("GitRepository", "")


async def test_an_artifact_is_found_by_its_own_address(
    graph: GraphFleet, credential: AsyncCredential, origin: str, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet(1, name="becomes-an-artifact")
    digest = f"sha256:{'ab' * 32}"
    artifact = {"url": "oci://contoso.azurecr.io/shipped", "repositoryRef": {"tag": "v1", "semver": "1.x", "digest": digest}}
    properties = {"sourceKind": "OCIRepository", "gitRepository": None, "ociRepository": artifact}
    options: dict[str, Any] = {"base_url": origin, "credential_scopes": [f"{AUDIENCE}/.default"]}
    async with KubernetesConfigurationFluxConfigurationsMgmtClient(credential, fleet.subscriptions[0], **options) as client:
        where = ("fleet", "Microsoft.Kubernetes", "connectedClusters", fleet.cluster(), "platform")
        await client.flux_configurations.begin_update(*where, {"properties": properties}, polling=False)
    [item] = await found(graph, "shipped")
    assert (item.source_kind, item.url, item.tag, item.semver, item.digest) == (
        "OCIRepository",
        "oci://contoso.azurecr.io/shipped",
        "v1",
        "1.x",
        digest,
    )
    assert await found(graph, "becomes-an-artifact") == []


@pytest.mark.parametrize(
    ("kind", "properties", "url"),
    [
        (
            "Bucket",
            {"bucket": {"url": "https://minio.example.com:9000", "bucketName": "kept-in-a-bucket"}},
            "bucket://minio.example.com:9000/kept-in-a-bucket",
        ),
        (
            "AzureBlob",
            {"azureBlob": {"url": "https://contoso.blob.core.windows.net/", "containerName": "kept-in-blobs"}},
            "azureblob://contoso.blob.core.windows.net/kept-in-blobs",
        ),
    ],
)
async def test_a_bucket_is_found_by_its_name(
    graph: GraphFleet, credential: AsyncCredential, origin: str, make_fleet: FleetMaker, kind: str, properties: dict[str, Any], url: str
) -> None:
    fleet = await make_fleet(1, name="becomes-a-bucket")
    [before] = await found(graph, "becomes-a-bucket")
    options: dict[str, Any] = {"base_url": origin, "credential_scopes": [f"{AUDIENCE}/.default"]}
    async with KubernetesConfigurationFluxConfigurationsMgmtClient(credential, fleet.subscriptions[0], **options) as client:
        where = ("fleet", "Microsoft.Kubernetes", "connectedClusters", fleet.cluster(), "platform")
        body = {"properties": {"sourceKind": kind, "gitRepository": None, **properties}}
        await client.flux_configurations.begin_update(*where, body, polling=False)
    [item] = await found(graph, url.rpartition("/")[2])
    assert (item.id, item.source_kind, item.url) == (before.id, kind, url)
    assert before.observation.synced_at is not None


async def test_no_search_term_finds_the_whole_fleet(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    one, other = await make_fleet(1, name="one-source"), await make_fleet(1, name="another-source")
    assert {one.configuration(), other.configuration()} <= {item.id for item in await found(graph, "")}


async def test_every_page_is_read_and_nothing_twice(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    await make_fleet(2_100, name="many-pages")
    ids = [item.id for item in await found(graph, "many-pages")]
    assert len(ids) == len(set(ids)) == 2_100


@pytest.mark.parametrize("term", ["'", "\\", "\\'", "' or 1 == 1 //", "x' | take 1 //", "\n| take 1", '"', "ü"])
async def test_a_search_term_is_data_whatever_it_holds(graph: GraphFleet, make_fleet: FleetMaker, term: str) -> None:
    await make_fleet(1, name="harmless")
    assert await found(graph, f"harmless{term}") == []


async def test_only_the_subscriptions_in_scope_are_seen(credential: AsyncCredential, origin: str, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(6, name="two-subscriptions", subscriptions=2)
    scoped = GraphFleet(credential, origin, AUDIENCE, fleet.subscriptions[:1], now)
    seen = await found(scoped, "two-subscriptions")
    assert {item.subscription for item in seen} == {fleet.subscriptions[0]}
    await scoped.close()


async def test_the_fleet_is_reachable(graph: GraphFleet) -> None:
    await graph.check()
