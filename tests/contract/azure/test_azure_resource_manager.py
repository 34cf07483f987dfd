"""connectedClusters, fluxConfigurations and extensions, through the SDK and over plain HTTP."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.kubernetesconfiguration.fluxconfigurations.aio import KubernetesConfigurationFluxConfigurationsMgmtClient as FluxClient
from cloud_client import ARM, Answer, CloudClient, MadeFleet, ManagedIdentity, Repository, until

VERSION = "?api-version=2025-04-01"
EXTENSIONS = "/providers/Microsoft.KubernetesConfiguration/extensions"


@pytest.fixture
async def fleet(cloud: CloudClient, repository: Repository) -> MadeFleet:
    return await cloud.make_fleet(repository)


@pytest.fixture
async def sdk(cloud: CloudClient, fleet: MadeFleet) -> AsyncIterator[FluxClient]:
    async with FluxClient(
        ManagedIdentity(cloud),
        fleet.subscriptions[0],
        base_url=cloud.origin,
        credential_scopes=[f"{ARM}/.default"],
    ) as client:
        yield client


def on(fleet: MadeFleet, number: int = 0) -> tuple[str, str, str, str]:
    """The SDK's way of naming a cluster."""
    return ("fleet", "Microsoft.Kubernetes", "connectedClusters", fleet.name(number))


def asked(repository: Repository, **more: Any) -> dict[str, Any]:
    source = {"url": repository.url, "repositoryRef": {"branch": "main"}}
    return {"properties": {"gitRepository": source, "kustomizations": {"apps": {"path": "./apps"}}, **more}}


async def test_the_sdk_reads_and_lists_a_configuration(sdk: FluxClient, fleet: MadeFleet) -> None:
    got = await sdk.flux_configurations.get(*on(fleet), "platform")
    assert got.properties is not None
    assert (got.properties.compliance_state, got.properties.provisioning_state) == ("Compliant", "Succeeded")
    assert [item.name async for item in sdk.flux_configurations.list(*on(fleet))] == ["platform"]


async def test_the_sdk_patches_with_one_request_and_no_polling(
    cloud: CloudClient, sdk: FluxClient, fleet: MadeFleet, repository: Repository
) -> None:
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    body = {"properties": {"gitRepository": {"repositoryRef": {"commit": commit}}}}
    await sdk.flux_configurations.begin_update(*on(fleet), "platform", body, polling=False)
    path = fleet.configuration().lower()
    assert [seen["status"] for seen in await cloud.admin("GET", f"requests?method=PATCH&path={path}")] == [202]
    assert commit in (await cloud.settled(fleet.configuration(), "Compliant", commit))["sourceSyncedCommitId"]


async def test_the_sdk_creates_to_the_end_and_deletes(sdk: FluxClient, fleet: MadeFleet, repository: Repository) -> None:
    poller = await sdk.flux_configurations.begin_create_or_update(*on(fleet), "second", asked(repository))
    created = await poller.result()
    assert created.properties is not None
    assert created.properties.provisioning_state == "Succeeded"
    await (await sdk.flux_configurations.begin_delete(*on(fleet), "second")).result()
    with pytest.raises(ResourceNotFoundError):
        await sdk.flux_configurations.get(*on(fleet), "second")


async def test_a_configuration_made_anew_under_an_old_name_is_reconciled(
    cloud: CloudClient, fleet: MadeFleet, repository: Repository
) -> None:
    assert (await cloud.patch(fleet.configuration(), {"suspend": True})).status == 202
    assert (await cloud.call("DELETE", fleet.configuration() + VERSION + "&forceDelete=true")).status == 200
    assert (await cloud.call("PUT", fleet.configuration() + VERSION, asked(repository))).status == 201
    await cloud.settled(fleet.configuration(), "Compliant", repository.git("rev-parse", "HEAD"))


async def test_creating_waits_for_reconciliation_when_asked_to(cloud: CloudClient, fleet: MadeFleet, repository: Repository) -> None:
    body = asked(repository, waitForReconciliation=True)
    body["properties"]["kustomizations"]["apps"]["path"] = "./missing"
    answer = await cloud.call("PUT", fleet.configuration(name="waits") + VERSION, body)
    assert answer.status == 201
    assert await ended(cloud, answer) == "Failed"


async def ended(cloud: CloudClient, answer: Answer) -> str:
    async def look() -> str | None:
        status = (await cloud.call("GET", answer.headers["Azure-AsyncOperation"])).body["status"]
        return None if status == "InProgress" else str(status)

    return await until(look)


async def test_a_patch_merges_and_null_removes(cloud: CloudClient, fleet: MadeFleet) -> None:
    path = fleet.configuration()
    await cloud.patch(path, {"kustomizations": {"apps": {"path": "apps", "dependsOn": ["platform"]}}})
    await cloud.patch(path, {"kustomizations": {"apps": {"dependsOn": None, "prune": True}, "platform": None}})
    properties = await cloud.properties(path)
    assert list(properties["kustomizations"]) == ["apps"]
    apps = properties["kustomizations"]["apps"]
    assert (apps["path"], apps["prune"], apps["dependsOn"]) == ("apps", True, None)
    assert properties["gitRepository"]["repositoryRef"]["branch"] == "main"


async def test_a_patch_that_changes_nothing_answers_200(cloud: CloudClient, fleet: MadeFleet) -> None:
    assert (await cloud.patch(fleet.configuration(), {"suspend": False})).status == 200


async def test_suspending_is_reported(cloud: CloudClient, fleet: MadeFleet) -> None:
    assert (await cloud.patch(fleet.configuration(), {"suspend": True})).status == 202
    await cloud.settled(fleet.configuration(), "Suspended")


@pytest.mark.parametrize("properties", [{"scope": "namespace"}, {"waitForReconciliation": True}, {"statuses": []}])
async def test_a_patch_may_not_carry_other_properties(cloud: CloudClient, fleet: MadeFleet, properties: dict[str, Any]) -> None:
    answer = await cloud.patch(fleet.configuration(), properties)
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidRequestContent")


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"sourceKind": "Svn"},
        {"gitRepository": {"url": "https://git.example/x", "repositoryRef": {"commit": "a" * 40}}},
        {"gitRepository": {"url": "https://git.example/x"}},
        {"sourceKind": "Bucket", "gitRepository": {"url": "https://git.example/x"}},
        {"kustomizations": {"a": {"dependsOn": ["b"]}}},
        {"gitRepository": {"url": "https://git.example/x", "repositoryRef": "main"}},
    ],
)
async def test_a_put_that_cannot_work_is_refused(
    cloud: CloudClient, fleet: MadeFleet, repository: Repository, properties: dict[str, Any]
) -> None:
    body = {"properties": properties}
    if "kustomizations" in properties:
        body = asked(repository, **properties)
    answer = await cloud.call("PUT", fleet.configuration(name="bad") + VERSION, body)
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidParameter")


async def test_protected_settings_are_never_returned(cloud: CloudClient, fleet: MadeFleet, repository: Repository) -> None:
    body = asked(repository, configurationProtectedSettings={"httpsKey": "aHVudGVyMg=="})
    put = await cloud.call("PUT", fleet.configuration(name="secret") + VERSION, body)
    got = await cloud.call("GET", fleet.configuration(name="secret") + VERSION)
    assert put.status == 201
    assert "aHVudGVyMg==" not in str(put.body) + str(got.body)


async def test_system_data_names_the_caller(cloud: CloudClient, fleet: MadeFleet) -> None:
    before = await cloud.call("GET", fleet.configuration() + VERSION)
    after = await cloud.patch(fleet.configuration(), {"suspend": True})
    assert before.body["systemData"]["lastModifiedByType"] == "User"
    stamp = after.body["systemData"]
    assert (stamp["lastModifiedBy"], stamp["lastModifiedByType"]) == (cloud.client_id, "ManagedIdentity")
    assert stamp["lastModifiedAt"] > before.body["systemData"]["lastModifiedAt"]


async def test_what_does_not_exist_is_told_apart(cloud: CloudClient, fleet: MadeFleet) -> None:
    missing = await cloud.call("GET", fleet.configuration(name="nothing") + VERSION)
    orphan = await cloud.call("GET", fleet.configuration().replace(fleet.name(), "nowhere") + VERSION)
    cluster = await cloud.call("GET", fleet.ids[0] + "x?api-version=2026-05-01")
    subscription = await cloud.call("GET", fleet.ids[0].replace(fleet.subscriptions[0], str(uuid.uuid4())) + VERSION)
    codes = [answer.body["error"]["code"] for answer in (missing, orphan, cluster, subscription)]
    assert codes == ["ResourceNotFound", "ParentResourceNotFound", "ResourceNotFound", "SubscriptionNotFound"]
    assert {answer.status for answer in (missing, orphan, cluster, subscription)} == {404}


async def test_an_api_version_is_required_and_must_be_known(cloud: CloudClient, fleet: MadeFleet) -> None:
    absent = await cloud.call("GET", fleet.configuration())
    unknown = await cloud.call("GET", fleet.configuration() + "?api-version=2020-01-01")
    assert (absent.status, absent.body["error"]["code"]) == (400, "MissingApiVersionParameter")
    assert (unknown.status, unknown.body["error"]["code"]) == (400, "NoRegisteredProviderFound")


async def test_resource_ids_are_read_without_regard_to_case(cloud: CloudClient, fleet: MadeFleet) -> None:
    assert (await cloud.call("GET", fleet.configuration().lower() + VERSION)).body["id"] == fleet.configuration()


async def test_an_offline_cluster_keeps_its_operation_open_until_it_returns(
    cloud: CloudClient, fleet: MadeFleet, repository: Repository
) -> None:
    commit = repository.commit({"apps/web.yaml": "kind: Job\n"})
    await cloud.admin("POST", f"clusters/{fleet.name()}/connectivity", {"state": "Offline"})
    answer = await cloud.pin(fleet.configuration(), commit)
    assert answer.status == 202
    await cloud.pin(fleet.configuration(1), commit)
    await cloud.settled(fleet.configuration(1), "Compliant", commit)  # long enough for the other one, were it online
    assert (await cloud.call("GET", answer.headers["Azure-AsyncOperation"])).body["status"] == "InProgress"
    assert commit not in (await cloud.properties(fleet.configuration()))["sourceSyncedCommitId"]
    await cloud.admin("POST", f"clusters/{fleet.name()}/connectivity", {"state": "Connected"})
    await cloud.settled(fleet.configuration(), "Compliant", commit)
    assert await ended(cloud, answer) == "Succeeded"


async def test_parallel_writes_conflict_when_a_rule_says_so(cloud: CloudClient, fleet: MadeFleet) -> None:
    await cloud.admin("POST", f"clusters/{fleet.name()}/connectivity", {"state": "Offline"})
    await cloud.admin("POST", "faults", {"kind": "conflict", "path": fleet.name()})
    first = await cloud.patch(fleet.configuration(), {"suspend": True})
    second = await cloud.patch(fleet.configuration(), {"suspend": False})
    assert (first.status, second.status, second.body["error"]["code"]) == (202, 409, "Conflict")


async def test_clusters_are_listed_by_group_and_subscription_in_pages(cloud: CloudClient, repository: Repository) -> None:
    fleet = await cloud.make_fleet(repository, clusters=501, resourceGroup="Large")
    kind = "providers/Microsoft.Kubernetes/connectedClusters?api-version=2026-05-01"
    first = await cloud.call("GET", f"/subscriptions/{fleet.subscriptions[0]}/{kind}")
    assert len(first.body["value"]) == 500
    second = await cloud.call("GET", first.body["nextLink"])
    assert [item["id"] for item in first.body["value"] + second.body["value"]] == fleet.ids
    group = await cloud.call("GET", f"/subscriptions/{fleet.subscriptions[0]}/resourceGroups/large/{kind}")
    assert len(group.body["value"]) == 500
    other = await cloud.call("GET", f"/subscriptions/{fleet.subscriptions[0]}/resourceGroups/other/{kind}")
    assert other.body == {"value": []}


async def test_tags_are_replaced_by_a_patch(cloud: CloudClient, fleet: MadeFleet) -> None:
    path = fleet.ids[0] + "?api-version=2026-05-01"
    assert (await cloud.call("PATCH", path, {"tags": {"ring": "late"}})).status == 200
    assert (await cloud.call("GET", path)).body["tags"] == {"ring": "late"}


async def test_an_extension_is_read_changed_and_removed(cloud: CloudClient, fleet: MadeFleet) -> None:
    path = f"{fleet.ids[0]}{EXTENSIONS}/flux?api-version=2025-03-01"
    settings = {"properties": {"configurationSettings": {"multiTenancy.enforce": "true"}}}
    patched = await cloud.call("PATCH", path, settings)
    assert patched.status == 202
    assert await ended(cloud, patched) == "Succeeded"
    properties = (await cloud.call("GET", path)).body["properties"]
    assert properties["extensionType"] == "microsoft.flux"
    expected = {"notification-controller.enabled": "true", "multiTenancy.enforce": "true"}
    assert properties["configurationSettings"] == expected
    assert (await cloud.call("DELETE", path + "&forceDelete=true")).status == 200
    assert (await cloud.call("DELETE", path)).status == 204


async def test_an_extension_is_created(cloud: CloudClient, fleet: MadeFleet) -> None:
    path = f"{fleet.ids[0]}{EXTENSIONS}/policy?api-version=2025-03-01"
    refused = await cloud.call("PUT", path, {"properties": {"extensionType": "x", "configurationSettings": {"a": 1}}})
    assert refused.status == 400
    answer = await cloud.call("PUT", path, {"properties": {"extensionType": "microsoft.policyinsights"}})
    assert answer.status == 201
    assert await ended(cloud, answer) == "Succeeded"
