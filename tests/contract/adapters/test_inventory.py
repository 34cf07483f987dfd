"""The whole fleet, as Resource Graph shows it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
from adapter_fleet import Fleet, FleetMaker, now
from adapter_servers import answering
from aiohttp import web

from local import tls
from shared.azure.credential import AsyncCredential
from shared.azure.graph_quota import GraphQuota
from shared.azure.inventory import GraphInventory
from shared.azure.resource_graph import GraphFleet
from shared.domain.fleet import Sighting

AUDIENCE = "https://management.azure.com"


@pytest.fixture
async def graph(credential: AsyncCredential, origin: str) -> AsyncIterator[GraphFleet]:
    made = GraphFleet(credential, origin, AUDIENCE, (), now)
    yield made
    await made.close()


async def of(graph: GraphFleet, fleet: Fleet) -> dict[str, Sighting]:
    """By the cluster's name, of the clusters of one test."""
    ids = {cluster.lower() for cluster in fleet.ids}
    return {each.cluster.name: each async for each in GraphInventory(graph).look() if each.cluster.id in ids}


async def test_a_configuration_comes_with_its_cluster_and_its_extension(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(
        2, kustomizations={"apps": {"path": "", "postBuild": {"substitute": {"SITE": "berlin"}}}, "infra": {"path": ""}}
    )
    shown = await of(graph, fleet)
    assert set(shown) == {fleet.cluster(0), fleet.cluster(1)}
    cluster, seen = shown[fleet.cluster()].cluster, shown[fleet.cluster()].configuration
    assert seen is not None
    assert (seen.id, seen.name, seen.url, seen.branch, seen.commit) == (fleet.configuration(), "platform", fleet.url, "main", fleet.head)
    assert (seen.compliance, seen.suspended, seen.message, seen.values) == ("Compliant", False, "", {"apps": {"SITE": "berlin"}})
    assert fleet.head in seen.revision
    assert (cluster.id, cluster.subscription, cluster.resource_group) == (fleet.ids[0].lower(), fleet.subscriptions[0], "fleet")
    assert (cluster.connectivity, cluster.agent_version, cluster.policies) == ("Connected", "1.28.2", ())
    assert cluster.tags["ring"] in ("canary", "prod")
    assert cluster.extension is not None
    assert (cluster.extension.state, cluster.extension.version, cluster.extension.release_train) == ("Succeeded", "1.24.1", "Stable")


async def test_policies_that_a_cluster_breaks_come_with_it(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1)
    scope = f"/subscriptions/{fleet.subscriptions[0]}"
    for name in ("deny-privileged", "allowed-images"):
        assignment = {"name": name, "definition": f"/providers/microsoft.authorization/policydefinitions/{name}", "scope": scope}
        await fleet.simulator.post("policies", {**assignment, "evaluated": [fleet.ids[0]]})
    [sighting] = (await of(graph, fleet)).values()
    assert sighting.cluster.policies == ("allowed-images", "deny-privileged")


async def test_a_cluster_without_configurations_or_extension_is_there_too(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1, bare=True, kind="ProvisionedCluster")
    [bare] = (await of(graph, fleet)).values()
    assert (bare.configuration, bare.cluster.extension, bare.cluster.kind) == (None, None, "ProvisionedCluster")
    assert (bare.cluster.connectivity, bare.cluster.location != "") == ("Connected", True)


@dataclass
class Graph:
    """Answers every query with the rows that are given for it, and headers."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        first_line = next(line for line in self.asked[-1]["query"].splitlines() if not line.startswith("//"))
        rows = self.rows.get(first_line, [])
        body = {"data": rows, "count": len(rows), "totalRecords": len(rows), "resultTruncated": "false"}
        return web.json_response(body, headers=self.headers)


CONFIGURATION = {"id": "/subscriptions/s1/c/f", "clusterId": "/subscriptions/s1/c", "configuration": "platform"}


async def shown(graph: Graph, credential: AsyncCredential, files: tls.TlsFiles, *scope: Any) -> list[Sighting]:
    async with answering(files, graph.answer) as address:
        fleet = GraphFleet(credential, address, AUDIENCE, *(scope or ((), now)))
        try:
            return [sighting async for sighting in GraphInventory(fleet).look()]
        finally:
            await fleet.close()


async def test_what_azure_leaves_out_is_empty(credential: AsyncCredential, tls_files: tls.TlsFiles) -> None:
    graph = Graph(rows={"kubernetesconfigurationresources": [CONFIGURATION]})
    [sighting] = await shown(graph, credential, tls_files)
    assert (sighting.cluster.name, sighting.cluster.tags, sighting.cluster.extension) == ("c", {}, None)
    assert sighting.configuration is not None
    assert (sighting.configuration.compliance, sighting.configuration.source_kind) == ("Pending", "GitRepository")


async def test_why_an_extension_is_not_well_is_told(credential: AsyncCredential, tls_files: tls.TlsFiles) -> None:
    statuses = [None, {"Message": ""}, {"Message": "no image"}, {"Message": "later"}]
    row = {**CONFIGURATION, "extensionState": "Failed", "extensionStatuses": statuses, "compliance": "Non-Compliant", "errorMessage": "e"}
    [sighting] = await shown(Graph(rows={"kubernetesconfigurationresources": [row]}), credential, tls_files)
    assert sighting.cluster.extension is not None
    assert sighting.cluster.extension.message == "no image"
    assert sighting.configuration is not None
    assert sighting.configuration.message == "e"


async def test_management_groups_take_the_place_of_subscriptions(credential: AsyncCredential, tls_files: tls.TlsFiles) -> None:
    graph = Graph()
    await shown(graph, credential, tls_files, ("s1",), now, tuple(f"mg-{number}" for number in range(11)))
    assert [len(asked["managementGroups"]) for asked in graph.asked] == [10, 1] * 2
    assert not any(asked.get("subscriptions") for asked in graph.asked)


async def test_many_subscriptions_are_asked_in_parts(credential: AsyncCredential, tls_files: tls.TlsFiles) -> None:
    graph = Graph()
    await shown(graph, credential, tls_files, tuple(f"s{number}" for number in range(301)), now)
    assert [len(asked["subscriptions"]) for asked in graph.asked] == [300, 1] * 2


async def test_without_room_the_next_query_waits(credential: AsyncCredential, tls_files: tls.TlsFiles) -> None:
    graph = Graph(headers={"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:01"})
    began = monotonic()
    await shown(graph, credential, tls_files)
    assert len(graph.asked) == 2
    assert monotonic() - began >= 0.9


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ms-user-quota-remaining": "1", "x-ms-user-quota-resets-after": "00:10:00"},
        {"x-ms-user-quota-remaining": "0"},
        {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "soon"},
    ],
)
async def test_with_room_or_without_word_nothing_waits(headers: dict[str, str]) -> None:
    quota = GraphQuota()
    quota.read(headers)
    began = monotonic()
    await quota.wait()
    assert monotonic() - began < 1
