"""Resource Graph's tables in DuckDB, brought up to date row by row, with the casing the service gives them.

In `kubernetesconfigurationresources` ids are cased otherwise than in `resources`, and extensions' properties are in
PascalCase while fluxConfigurations' are in camelCase.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import duckdb

from local.azure.arm.documents import cluster_document, extension_properties, flux_configuration_properties
from local.azure.cloud import Cloud
from local.azure.resources import Cluster, FluxConfiguration, JsonObject, ProxyResource

Resource = TypeVar("Resource", Cluster, ProxyResource)
STRING = "VARCHAR"
DYNAMIC = "JSON"
COLUMNS = {
    "id": STRING,
    "name": STRING,
    "type": STRING,
    "tenantId": STRING,
    "kind": STRING,
    "location": STRING,
    "resourceGroup": STRING,
    "subscriptionId": STRING,
    "managedBy": STRING,
    "sku": DYNAMIC,
    "plan": DYNAMIC,
    "properties": DYNAMIC,
    "tags": DYNAMIC,
    "identity": DYNAMIC,
    "zones": DYNAMIC,
    "extendedLocation": DYNAMIC,
}
TABLES = ("resources", "kubernetesconfigurationresources", "policyresources")
SCHEMA = {table: list(COLUMNS) for table in TABLES}


class GraphTables:
    """Not safe for two threads at once: the caller takes turns."""

    def __init__(self, cloud: Cloud, tenant_id: str) -> None:
        self._cloud = cloud
        self._tenant_id = tenant_id
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone='UTC'")
        self.connection.execute("SET threads=2")
        self.connection.execute("CREATE TABLE scope (id VARCHAR)")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        for table in TABLES:
            self.connection.execute(f"CREATE TABLE all_{table} (key VARCHAR, {columns})")
            view = f"SELECT {names} FROM all_{table} WHERE subscriptionId IN (SELECT id FROM scope)"  # noqa: S608 -- constants
            self.connection.execute(f"CREATE VIEW {table} AS {view}")

    def refresh(self, lag_seconds: float) -> None:
        """Rewrites the rows of what changed at least `lag_seconds` ago."""
        changed = self._cloud.take_changed(lag_seconds)
        clusters = [resource for resource in changed if isinstance(resource, Cluster)]
        children = [resource for resource in changed if isinstance(resource, ProxyResource)]
        self._replace("resources", clusters, [self._cluster_row(cluster) for cluster in self._existing(clusters)])
        self._replace("kubernetesconfigurationresources", children, [self._child_row(child) for child in self._existing(children)])
        self._refresh_policies()

    def _refresh_policies(self) -> None:
        """All of them: they are few."""
        policies = self._cloud.policies
        if not policies.take_changed():
            return
        self.connection.execute("DELETE FROM all_policyresources")
        columns = ", ".join(f"${name}" for name in ("key", *COLUMNS))
        for row in policies.rows:
            whole: JsonObject = {"tenantId": self._tenant_id, "kind": "", "location": "", "managedBy": "", **row}
            values = {"key": str(row["id"]).lower(), **{name: _cell(kind, whole.get(name)) for name, kind in COLUMNS.items()}}
            self.connection.execute(f"INSERT INTO all_policyresources VALUES ({columns})", values)  # noqa: S608 -- our own columns' names

    def scope_to(self, subscriptions: Iterable[str] | None) -> None:
        """Makes the tables that queries name hold these subscriptions only; all of them when None."""
        names = self._cloud.subscriptions if subscriptions is None else {name.lower() for name in subscriptions}
        self.connection.execute("DELETE FROM scope")
        self.connection.execute("INSERT INTO scope SELECT unnest($names)", {"names": sorted(names)})

    def _existing(self, resources: list[Resource]) -> list[Resource]:
        return [resource for resource in resources if self._cloud.exists(resource)]

    def _replace(self, table: str, changed: Sequence[Cluster | ProxyResource], rows: list[list[str | None]]) -> None:
        if not changed:
            return
        keys = [resource.id.lower() for resource in changed]
        gone = f"DELETE FROM all_{table} WHERE key IN (SELECT unnest($keys))"  # noqa: S608 -- `table` is one of TABLES
        self.connection.execute(gone, {"keys": keys})
        if rows:
            columns = list(zip(*rows, strict=True))
            slots = ", ".join(f"unnest($c{index})" for index in range(len(columns)))
            values = {f"c{index}": list(column) for index, column in enumerate(columns)}
            self.connection.execute(f"INSERT INTO all_{table} SELECT {slots}", values)

    def _cluster_row(self, cluster: Cluster) -> list[str | None]:
        document = cluster_document(cluster)
        values: JsonObject = {
            "id": cluster.id,
            "name": cluster.name,
            "type": "microsoft.kubernetes/connectedclusters",
            "kind": cluster.kind,
            "location": cluster.location,
            "managedBy": "",
            "properties": document["properties"],
            "tags": cluster.tags,
            "identity": document["identity"],
        }
        return self._row(cluster.id, cluster, values)

    def _child_row(self, child: ProxyResource) -> list[str | None]:
        if isinstance(child, FluxConfiguration):
            properties = flux_configuration_properties(child)
        else:
            properties = pascal_case(extension_properties(child))
        values: JsonObject = {
            "id": _recased(child),
            "name": child.name,
            "type": f"{child.provider}/{child.collection}".lower(),
            "kind": "",
            "location": "",
            "managedBy": "",
            "properties": properties,
        }
        return self._row(child.id, child.cluster, values)

    def _row(self, key: str, cluster: Cluster, values: JsonObject) -> list[str | None]:
        whole: JsonObject = {
            "tenantId": self._tenant_id,
            "resourceGroup": cluster.resource_group.lower(),
            "subscriptionId": cluster.subscription.lower(),
            **values,
        }
        return [key.lower(), *(_cell(kind, whole.get(name)) for name, kind in COLUMNS.items())]


def pascal_case(value: Any) -> Any:
    """Property names with a capital first letter; the keys of settings are data and stay as they are.

    >>> pascal_case({"extensionType": "microsoft.flux", "configurationSettings": {"a.b": "c"}})
    {'ExtensionType': 'microsoft.flux', 'ConfigurationSettings': {'a.b': 'c'}}
    """
    if isinstance(value, list):
        return [pascal_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name[:1].upper() + name[1:]: item if name.endswith("Settings") else pascal_case(item) for name, item in value.items()}


def _recased(child: ProxyResource) -> str:
    collection = child.collection[:1].upper() + child.collection[1:]
    head = child.cluster.id.replace("/connectedClusters/", "/ConnectedClusters/")
    return f"{head.replace('/resourceGroups/', '/resourcegroups/')}/providers/{child.provider}/{collection}/{child.name}"


def _cell(kind: str, value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(_without_nulls(value)) if kind == DYNAMIC else str(value)


def _without_nulls(value: Any) -> Any:
    """Kusto's isnull() holds for a JSON null as for a missing property; in DuckDB only the latter is NULL."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return value
