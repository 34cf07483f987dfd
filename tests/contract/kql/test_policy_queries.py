"""The query for policy states, executed on rows of the documented shape (learn.microsoft.com, Resource Graph samples for Azure Policy)."""

import json
from datetime import UTC, datetime

import duckdb_kql

from local.azure.cloud import Cloud
from local.azure.graph_tables import SCHEMA, GraphTables
from shared.azure.resource_graph import query

CLUSTER = "/subscriptions/s1/resourceGroups/edge/providers/Microsoft.Kubernetes/connectedClusters/Berlin"
AKS = "/subscriptions/s1/resourcegroups/edge/providers/microsoft.containerservice/managedclusters/lyon"
MACHINE = "/subscriptions/s1/resourcegroups/edge/providers/microsoft.compute/virtualmachines/vm"


def run(states: list[tuple[str, str, str]]) -> list[tuple[str, ...]]:
    """What the query makes of states: resource, assignment, compliance."""
    tables = GraphTables(Cloud(), "tenant")
    tables.scope_to(["s1"])
    for number, (resource, assignment, state) in enumerate(states):
        properties = {"resourceId": resource, "policyAssignmentName": assignment, "complianceState": state}
        row = {"key": str(number), "id": f"{resource}/{number}", "type": "Microsoft.PolicyInsights/PolicyStates", "subscriptionId": "s1"}
        columns = ", ".join([*row, "properties"])
        tables.connection.execute(
            f"INSERT INTO all_policyresources ({columns}) VALUES ($key, $id, $type, $subscriptionId, $properties)",  # noqa: S608 -- constants
            {**row, "properties": json.dumps(properties)},
        )
    sql = duckdb_kql.to_sql(query("clusters_and_policies"), schema=SCHEMA, allow_write=False, query_now=datetime.now(UTC))
    found = tables.connection.execute(str(sql), dict(sql.parameters))
    names = [name for name, *_ in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [(row["clusterId"], row["assignment"]) for row in rows]


def test_each_assignment_that_a_cluster_breaks_is_one_row() -> None:
    found = run(
        [
            (CLUSTER, "deny", "NonCompliant"),
            (CLUSTER, "deny", "NonCompliant"),
            (CLUSTER, "images", "NonCompliant"),
            (CLUSTER, "kept", "Compliant"),
            (CLUSTER, "exempted", "Exempt"),
            (AKS, "deny", "NonCompliant"),
            (MACHINE, "deny", "NonCompliant"),
        ]
    )
    assert sorted(found) == sorted([(CLUSTER.lower(), "deny"), (CLUSTER.lower(), "images"), (AKS, "deny")])


def test_flux_s_own_spelling_is_not_policy_s() -> None:
    assert run([(CLUSTER, "deny", "Non-Compliant")]) == []
