"""Clusters, their extension and their fluxConfigurations: as Resource Graph lists them and Resource Manager writes them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from adapter_fleet import Fleet, FleetMaker, now
from adapter_servers import until

from shared.azure.cluster_resources import ArmClusterResources
from shared.azure.credential import AsyncCredential
from shared.azure.resource_graph import GraphFleet
from shared.azure.resource_graph_clusters import GraphClusters
from shared.config.baselines import Baseline, Extension, FluxConfiguration, GitRepository, Kustomization
from shared.domain.cluster_resources import Found, Write
from shared.domain.clusters import Cluster
from shared.domain.errors import Busy, Rejected, Unavailable
from shared.domain.onboarding_patches import patch
from shared.domain.onboarding_progress import Made
from shared.domain.policies import CONFIGURATION_DEFINITIONS, EXTENSION_DEFINITION, governed

AUDIENCE = "https://management.azure.com"
DEFINITIONS = "/providers/Microsoft.Authorization/policyDefinitions/"
WRITES_ONE = f"{DEFINITIONS}{min(CONFIGURATION_DEFINITIONS)}"


@pytest.fixture
async def resources(credential: AsyncCredential, origin: str) -> AsyncIterator[ArmClusterResources]:
    made = ArmClusterResources(credential, origin, AUDIENCE)
    yield made
    await made.close()


@pytest.fixture
async def clusters(credential: AsyncCredential, origin: str) -> AsyncIterator[GraphClusters]:
    fleet = GraphFleet(credential, origin, AUDIENCE, (), now)
    yield GraphClusters(fleet)
    await fleet.close()


async def listed(clusters: GraphClusters, fleet: Fleet) -> list[Cluster]:
    ids = {each.lower() for each in fleet.ids}
    return [cluster async for cluster in clusters.clusters() if cluster.id in ids]


def a_baseline(url: str) -> Baseline:
    kustomizations = (Kustomization(name="infra", path="./clusters/base", prune=True), Kustomization(name="apps", depends_on=("infra",)))
    configuration = FluxConfiguration(
        name="infra", namespace="flux-infra", source=GitRepository(url=url, branch="main"), kustomizations=kustomizations
    )
    return Baseline(name="edge", configurations=(configuration,), extension=Extension(multi_tenancy=False))


async def test_graph_and_manager_show_the_same_cluster(
    clusters: GraphClusters, resources: ArmClusterResources, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet(2, bare=True, kind="ProvisionedCluster")
    found = await listed(clusters, fleet)
    assert len(found) == 2
    assert found[0].offering == "AKS on Azure Local"
    assert found[0].tags["ring"] in ("canary", "prod")
    assert found[0] == await resources.cluster(found[0].id)
    assert await resources.cluster(f"{found[0].id}-none") is None


async def test_a_cluster_that_was_just_connected_has_nothing(resources: ArmClusterResources, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1, bare=True)
    assert await resources.extension(fleet.ids[0]) is None
    assert await resources.configuration(fleet.ids[0], "infra") is None
    assert not await resources.has_configurations(fleet.ids[0])


async def test_what_a_baseline_wants_is_there_once_it_is_written_and_then_nothing_differs(
    resources: ArmClusterResources, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet(1, bare=True)
    cluster_id = fleet.ids[0].lower()
    cluster = await resources.cluster(cluster_id)
    assert cluster is not None
    wanted = a_baseline(fleet.url).wanted(cluster)
    for piece in wanted.pieces:
        await resources.write(cluster_id, Write(method="PUT", kind=piece.kind, name=piece.name, properties=piece.properties))

    async def extension() -> Found | None:
        found = await resources.extension(cluster_id)
        return found if found and found.provisioning == "Succeeded" else None

    async def configuration() -> Found | None:
        found = await resources.configuration(cluster_id, "infra")
        return found if found and found.compliance == "Compliant" else None

    seen = [await until(extension), await until(configuration)]
    for piece, found in zip(wanted.pieces, seen, strict=True):
        made = Made(kind=piece.kind, name=piece.name, properties=piece.properties)
        assert patch(piece, made, found) == {}
        assert patch(piece, None, found) == {}
    assert await fleet.requests("PUT") == [201, 201]
    assert await resources.has_configurations(cluster_id)


async def test_a_patch_takes_away_and_a_delete_ends_it(resources: ArmClusterResources, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1)
    cluster_id = fleet.ids[0].lower()
    change: dict[str, Any] = {"suspend": True, "kustomizations": {"platform": None, "other": {"path": "x"}}}
    await resources.write(cluster_id, Write(method="PATCH", kind="configuration", name="platform", properties=change))
    found = await resources.configuration(cluster_id, "platform")
    assert found is not None
    assert (found.properties["suspend"], set(found.properties["kustomizations"])) == (True, {"other"})
    for _ in range(2):
        await resources.write(cluster_id, Write(method="DELETE", kind="configuration", name="platform"))

    async def gone() -> bool | None:
        return await resources.configuration(cluster_id, "platform") is None or None

    assert await until(gone)


@pytest.mark.parametrize(
    ("rule", "expected", "code"),
    [
        ({"status": 403, "code": "AuthorizationFailed"}, Rejected, "AuthorizationFailed"),
        ({"status": 409, "code": "Conflict"}, Busy, "Conflict"),
        ({"status": 503, "code": "ServiceUnavailable"}, Unavailable, "ServiceUnavailable"),
    ],
)
async def test_each_refusal_has_its_meaning_and_is_not_tried_again_here(
    resources: ArmClusterResources, make_fleet: FleetMaker, rule: dict[str, Any], expected: type[Exception], code: str
) -> None:
    fleet = await make_fleet(1)
    await fleet.fail(**rule, retryAfter=7)
    with pytest.raises(expected) as caught:
        await resources.write(fleet.ids[0], Write(method="PATCH", kind="configuration", name="platform", properties={"suspend": True}))
    assert getattr(caught.value, "code", "") == code
    assert await fleet.requests("PATCH") == [rule["status"]]


async def test_an_answer_that_never_comes_is_told_from_a_refusal(resources: ArmClusterResources, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1)
    await fleet.fail(drop=True)
    with pytest.raises(Unavailable) as caught:
        await resources.write(fleet.ids[0], Write(method="PATCH", kind="configuration", name="platform", properties={"suspend": True}))
    assert caught.value.unanswered


async def test_a_cluster_that_is_not_there_is_no_resource_that_is_not_there(resources: ArmClusterResources, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1)
    for look in (resources.extension(f"{fleet.ids[0]}-none"), resources.configuration(f"{fleet.ids[0]}-none", "infra")):
        with pytest.raises(Rejected) as caught:
            await look
        assert (caught.value.status, caught.value.code) == (404, "ParentResourceNotFound")


@pytest.mark.parametrize("cluster_id", ["", "/subscriptions/a", "https://evil.example/x", "{}/../x", "{}?x=1", "{}\n", "{}/extensions/y"])
async def test_a_hostile_id_leads_nowhere(resources: ArmClusterResources, make_fleet: FleetMaker, cluster_id: str) -> None:
    fleet = await make_fleet(1)
    with pytest.raises(Rejected) as caught:
        await resources.extension(cluster_id.format(fleet.ids[0]))
    assert caught.value.code == "InvalidResourceId"


@pytest.mark.parametrize("name", ["..", "a/b", "a?b", "a b", "a\n", "%2e"])
async def test_a_hostile_name_leads_nowhere(resources: ArmClusterResources, make_fleet: FleetMaker, name: str) -> None:
    fleet = await make_fleet(1)
    with pytest.raises(Rejected) as caught:
        await resources.configuration(fleet.ids[0], name)
    assert caught.value.code == "InvalidResourceName"


async def test_the_assignments_that_write_flux_are_found_where_they_apply(clusters: GraphClusters, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(3)
    scope = f"/subscriptions/{fleet.subscriptions[0]}"
    one, other, third = (each.lower() for each in fleet.ids)
    assignments: list[dict[str, Any]] = [
        {
            "name": "a1",
            "displayName": "Flux by policy",
            "definition": WRITES_ONE.upper().replace("/PROVIDERS", "/providers"),
            "scope": f"{scope}/resourceGroups/Fleet",
            "notScopes": [fleet.ids[1]],
            "parameters": {"configurationName": {"value": "infra"}},
        },
        {
            "name": "a2",
            "definition": f"{DEFINITIONS}{EXTENSION_DEFINITION}",
            "scope": scope,
            "enforcementMode": "DoNotEnforce",
            "evaluated": [one],
        },
        {"name": "a3", "definition": WRITES_ONE, "scope": scope, "parameters": {"effect": {"value": "Disabled"}}, "evaluated": [one]},
        {"name": "a4", "definition": f"{DEFINITIONS}another", "scope": scope, "evaluated": [one]},
        {
            "name": "a5",
            "definition": "/providers/Microsoft.Authorization/policySetDefinitions/all-of-it",
            "member": f"{DEFINITIONS}{EXTENSION_DEFINITION}",
            "scope": "/providers/Microsoft.Management/managementGroups/contoso",
            "evaluated": [third],
        },
    ]
    for assignment in assignments:
        await fleet.simulator.post("policies", assignment)
    found = [policy for policy in await clusters.policies() if fleet.subscriptions[0] in policy.scope]
    assert governed(found, one).pieces == {"configuration infra": "Flux by policy"}
    assert governed(found, other).pieces == {}
    assert governed(found, third).pieces == {"configuration infra": "Flux by policy", "extension": "a5"}
