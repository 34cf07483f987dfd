"""Azure Resource Graph: all connected clusters, and the assignments of Azure Policy that write their Flux."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from shared.azure.remembered import Remembered
from shared.azure.resource_graph import query
from shared.domain.clusters import Cluster
from shared.domain.policies import CONFIGURATION_DEFINITIONS, EXTENSION_DEFINITION, Policy

if TYPE_CHECKING:
    from shared.azure.resource_graph import GraphFleet, Row

#: Policies are asked for at every visit of a cluster, and change with people's work.
_POLICIES_SECONDS, _POLICIES_STALE_SECONDS = 60.0, 600.0
_POLICIES = "policies"


class GraphClusters:
    """Implements ports.Clusters, through the client of `fleet`."""

    def __init__(self, fleet: "GraphFleet") -> None:
        self._fleet = fleet
        self._policies = Remembered(self._ask_policies, seconds=_POLICIES_SECONDS, stale_seconds=_POLICIES_STALE_SECONDS)

    async def clusters(self) -> AsyncIterator[Cluster]:
        async for row in self._fleet.rows(query("clusters")):
            yield _cluster(row)

    async def policies(self) -> list[Policy]:
        return await self._policies.get(_POLICIES)

    async def _ask_policies(self, _: str) -> list[Policy]:
        definitions = ", ".join(f"'{name}'" for name in sorted({EXTENSION_DEFINITION, *CONFIGURATION_DEFINITIONS}))
        texts = [query(name).replace("{definitions}", definitions) for name in ("policy_assignments", "policy_states")]
        return [_policy(row) for text in texts async for row in self._fleet.rows(text)]


def _cluster(row: "Row") -> Cluster:
    return Cluster(
        id=_text(row, "id"),
        cluster_name=_text(row, "name"),
        subscription=_text(row, "subscriptionId").lower(),
        resource_group=_text(row, "resourceGroup").lower(),
        location=_text(row, "location"),
        distribution=_text(row, "distribution"),
        kubernetes_version=_text(row, "kubernetesVersion"),
        tags={str(key): str(value) for key, value in (row.get("tags") or {}).items()},
        connectivity=_text(row, "connectivity"),
        kind=_text(row, "kind"),
    )


def _policy(row: "Row") -> Policy:
    not_scopes: Any = row.get("notScopes")
    return Policy(
        assignment=_text(row, "displayName") or _text(row, "name"),
        definition=_text(row, "definition"),
        scope=_text(row, "scope"),
        not_scopes=tuple(str(scope).lower() for scope in not_scopes) if isinstance(not_scopes, list) else (),
        configuration=_text(row, "configuration").lower(),
    )


def _text(row: "Row", name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
