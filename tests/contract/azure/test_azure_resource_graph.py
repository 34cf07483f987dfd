"""Resource Graph through the SDK and over plain HTTP: real KQL, pages, scopes, and the casing the service gives."""

from typing import Any, cast

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions
from cloud_client import ARM, GRAPH, CloudClient, MadeFleet, ManagedIdentity, Repository, until

CONFIGURATIONS = """
kubernetesconfigurationresources
| where type =~ 'microsoft.kubernetesconfiguration/fluxconfigurations'
| extend clusterId = tostring(split(tolower(id), '/providers/microsoft.kubernetesconfiguration/')[0])
| join kind=leftouter (
    resources
    | where type in~ ('microsoft.kubernetes/connectedclusters', 'microsoft.containerservice/managedclusters')
    | project clusterId = tolower(id), clusterName = name, clusterTags = tags,
              connectivity = tostring(properties.connectivityStatus)
  ) on clusterId
| project id = tolower(id), clusterName, ring = tostring(clusterTags['ring']), connectivity,
          state = iff(isnull(properties.complianceState), 'Pending', tostring(properties.complianceState)),
          commit = tostring(properties.gitRepository.repositoryRef.commit),
          at = todatetime(properties.statusUpdatedAt), statuses = properties.statuses
| order by id asc
"""


@pytest.fixture
async def fleet(cloud: CloudClient, repository: Repository) -> MadeFleet:
    return await cloud.make_fleet(repository, clusters=20)


async def rows(cloud: CloudClient, fleet: MadeFleet, query: str) -> list[dict[str, Any]]:
    answer = await cloud.query(query, subscriptions=fleet.subscriptions)
    assert answer.status == 200, answer.body
    data: list[dict[str, Any]] = answer.body["data"]
    return data


async def test_the_sdk_pages_through_all_rows_in_order(cloud: CloudClient, fleet: MadeFleet) -> None:
    ids: list[str] = []
    pages: list[tuple[int, int, str]] = []
    token: str | None = None
    async with ResourceGraphClient(ManagedIdentity(cloud), base_url=cloud.origin, credential_scopes=[f"{ARM}/.default"]) as client:
        while not pages or token:
            options = QueryRequestOptions(top=8, skip_token=token)
            query = QueryRequest(subscriptions=fleet.subscriptions, query=CONFIGURATIONS, options=options)
            page = await client.resources(query)
            pages.append((page.count, page.total_records, str(page.result_truncated)))
            ids += [row["id"] for row in cast("list[dict[str, str]]", page.data)]
            token = page.skip_token
    assert [(count, total) for count, total, _truncated in pages] == [(8, 20), (8, 20), (4, 20)]
    assert ids == sorted(fleet.configuration(number).lower() for number in range(20))


async def test_the_truncation_flag_is_text(cloud: CloudClient, fleet: MadeFleet) -> None:
    more = await cloud.query(CONFIGURATIONS, subscriptions=fleet.subscriptions, options={"$top": 8})
    whole = await cloud.query(CONFIGURATIONS, subscriptions=fleet.subscriptions)
    assert (more.body["resultTruncated"], whole.body["resultTruncated"]) == ("true", "false")
    assert "$skipToken" in more.body
    assert "$skipToken" not in whole.body


async def test_the_rows_tell_what_arm_tells(cloud: CloudClient, fleet: MadeFleet) -> None:
    first = (await rows(cloud, fleet, CONFIGURATIONS))[0]
    properties = await cloud.properties(fleet.configuration())
    assert first["clusterName"] == fleet.name()
    assert (first["ring"], first["connectivity"], first["state"]) == ("canary", "Connected", "Compliant")
    assert first["commit"] == properties["gitRepository"]["repositoryRef"]["commit"]
    assert first["at"] == properties["statusUpdatedAt"]
    assert [status["name"] for status in first["statuses"]] == [item["name"] for item in properties["statuses"]]


async def test_a_change_is_seen_at_once(cloud: CloudClient, fleet: MadeFleet) -> None:
    await cloud.admin("POST", f"clusters/{fleet.name(3)}/connectivity", {"state": "Offline"})
    found = await rows(cloud, fleet, "resources | where properties.connectivityStatus == 'Offline' | project name")
    assert found == [{"name": fleet.name(3)}]


async def test_a_change_is_seen_after_the_lag_when_one_is_set(cloud: CloudClient, fleet: MadeFleet) -> None:
    query = "resources | where properties.connectivityStatus == 'Offline' | project name"
    await cloud.admin("POST", "resource-graph", {"lagSeconds": 1})
    try:
        await cloud.admin("POST", f"clusters/{fleet.name(3)}/connectivity", {"state": "Offline"})
        assert await rows(cloud, fleet, query) == []
        await cloud.admin("POST", "resource-graph", {"lagSeconds": 0.1})

        async def look() -> list[dict[str, Any]] | None:
            answer = await cloud.query(query, subscriptions=fleet.subscriptions)
            return answer.body.get("data") or None

        assert await until(look) == [{"name": fleet.name(3)}]
    finally:
        await cloud.admin("POST", "resource-graph", {"lagSeconds": 0})


async def test_only_the_subscriptions_asked_for_are_searched(cloud: CloudClient, repository: Repository) -> None:
    fleet = await cloud.make_fleet(repository, clusters=6, subscriptions=3)
    query = "resources | summarize n = count() by subscriptionId | order by subscriptionId asc"
    one = await cloud.query(query, subscriptions=fleet.subscriptions[:1])
    tenant = (await cloud.admin("GET", "health"))["tenantId"]
    whole = await cloud.query(query, managementGroups=[tenant])
    nothing = await cloud.query(query, managementGroups=["other"])
    assert one.body["data"] == [{"subscriptionId": fleet.subscriptions[0], "n": 2}]
    assert set(fleet.subscriptions) <= {row["subscriptionId"] for row in whole.body["data"]}
    assert nothing.body["data"] == []


async def test_casing_differs_between_tables_and_types(cloud: CloudClient, fleet: MadeFleet) -> None:
    extension = "kubernetesconfigurationresources | where type == 'microsoft.kubernetesconfiguration/extensions'"
    query = "| project id, right = tostring(properties.ExtensionType), wrong = tostring(properties.extensionType)"
    found = (await rows(cloud, fleet, f"{extension} {query} | order by id asc"))[0]
    assert (found["right"], found["wrong"]) == ("microsoft.flux", "")
    assert "/ConnectedClusters/" in found["id"]
    cluster = (await rows(cloud, fleet, "resources | project id, type | order by id asc"))[0]
    assert cluster == {"id": fleet.ids[0], "type": "microsoft.kubernetes/connectedclusters"}


async def test_a_limit_or_only_dynamic_columns_give_no_skip_token(cloud: CloudClient, fleet: MadeFleet) -> None:
    options = {"$top": 5}
    for query in ("resources | take 10 | project id", "resources | project tags"):
        answer = await cloud.query(query, subscriptions=fleet.subscriptions, options=options)
        assert (answer.body["count"], "$skipToken" in answer.body) == (5, False)


async def test_the_table_format_names_its_columns(cloud: CloudClient, fleet: MadeFleet) -> None:
    query = "resources | project name, tags | order by name asc"
    answer = await cloud.query(query, subscriptions=fleet.subscriptions, options={"resultFormat": "table", "$top": 1})
    assert answer.body["data"]["columns"] == [{"name": "name", "type": "string"}, {"name": "tags", "type": "object"}]
    assert answer.body["data"]["rows"][0][0] == fleet.name()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resources | wher name == 'x'", "ParserFailure"),
        ("resources | where nosuch == 'x'", "InvalidQuery"),
        ("nosuchtable | take 1", "InvalidQuery"),
        ("resources | evaluate bag_unpack(tags)", "UnsupportedQuery"),
        (".show tables", "ParserFailure"),
        ("// why\n.drop table resources", "ParserFailure"),
    ],
)
async def test_a_bad_query_is_explained(cloud: CloudClient, fleet: MadeFleet, query: str, code: str) -> None:
    answer = await cloud.query(query, subscriptions=fleet.subscriptions)
    assert (answer.status, answer.body["error"]["code"]) == (400, "BadRequest")
    assert [detail["code"] for detail in answer.body["error"]["details"]] == ["InvalidQuery", code]


async def test_the_sdk_raises_the_error_of_a_bad_query(cloud: CloudClient, fleet: MadeFleet) -> None:
    async with ResourceGraphClient(ManagedIdentity(cloud), base_url=cloud.origin, credential_scopes=[f"{ARM}/.default"]) as client:
        with pytest.raises(HttpResponseError) as raised:
            await client.resources(QueryRequest(subscriptions=fleet.subscriptions, query="resources | wher x"))
    assert raised.value.status_code == 400


@pytest.mark.parametrize("options", [{"$top": 0}, {"$top": 1001}, {"$skipToken": "bm90IG91cnM="}])
async def test_options_out_of_range_are_refused(cloud: CloudClient, options: dict[str, Any]) -> None:
    assert (await cloud.query("resources | project id", options=options)).status == 400


async def test_an_api_version_is_required(cloud: CloudClient) -> None:
    answer = await cloud.call("POST", GRAPH.split("?", maxsplit=1)[0], {"query": "resources"})
    assert (answer.status, answer.body["error"]["code"]) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    "tail",
    [
        "where name contains_cs '000' | project name",
        "where tags has 'canary' and tags['ring'] in~ ('CANARY') | order by name asc | take 1 | project name",
        "where isempty(tags.nosuch) and isnotempty(tags.ring) and isnull(properties.nosuch) | top 1 by name asc",
        "summarize n = count(), names = make_list(name) by ring = tostring(tags.ring) | order by n asc",
        "extend r = case(tags.ring == 'canary', 1, tags.ring == 'prod', 2, 3) | order by r asc, name asc | take 1",
        "parse tolower(id) with * '/connectedclusters/' cluster | where cluster endswith '000' | project name",
        "where todatetime(properties.lastConnectivityTime) > ago(1h) | order by name asc | take 1 | project name",
        "mv-expand part = split(id, '/') | where part == 'connectedClusters' | order by name asc | take 1",
        "join kind=leftanti (resources | where name !endswith '000' | project id) on id | project name",
    ],
)
async def test_kql_that_sluice_may_use_runs(cloud: CloudClient, fleet: MadeFleet, tail: str) -> None:
    found = await rows(cloud, fleet, f"resources | {tail}")
    assert found[0].get("name", fleet.name()) == fleet.name()
