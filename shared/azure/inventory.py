"""Azure Resource Graph: the whole fleet, row by row."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.azure.resource_graph import GraphFleet, failure, query, substitutes, text
from shared.domain.fleet import Cluster, Extension, Seen, Sighting
from shared.domain.observations import COMPLIANT

_MAX_MESSAGE = 500

Row = Mapping[str, Any]


@dataclass(frozen=True)
class GraphInventory:
    """Implements ports.Inventory: two queries, so that a look takes at most two calls more than it has thousands of rows."""

    graph: GraphFleet

    async def look(self) -> AsyncIterator[Sighting]:
        bare: list[Row] = []
        broken: dict[str, set[str]] = defaultdict(set)
        async for row in self.graph.rows(query("clusters_and_policies")):
            if assignment := text(row, "assignment"):
                broken[_cluster_in(row)].add(assignment)
            else:
                bare.append(row)
        policies = {cluster: tuple(sorted(names)) for cluster, names in broken.items()}
        for row in bare:
            yield _sighting(row, policies)
        async for row in self.graph.rows(query("fleet")):
            yield _sighting(row, policies)


def _cluster_in(row: Row) -> str:
    """What stands below a cluster counts as the cluster."""
    return text(row, "clusterId").partition("/providers/microsoft.kubernetesconfiguration/")[0]


def _sighting(row: Row, policies: Mapping[str, tuple[str, ...]]) -> Sighting:
    return Sighting(cluster=_cluster(row, policies), configuration=seen(row) if row.get("configuration") else None)


def _cluster(row: Row, policies: Mapping[str, tuple[str, ...]]) -> Cluster:
    cluster_id = text(row, "clusterId")
    return Cluster(
        id=cluster_id,
        name=text(row, "cluster") or cluster_id.rsplit("/", 1)[-1],
        subscription=text(row, "subscriptionId").lower(),
        resource_group=text(row, "resourceGroup"),
        location=text(row, "location"),
        distribution=text(row, "distribution"),
        kubernetes_version=text(row, "kubernetesVersion"),
        tags={str(key): str(value) for key, value in (row.get("tags") or {}).items()},
        connectivity=text(row, "connectivity"),
        agent_version=text(row, "agentVersion"),
        kind=text(row, "clusterKind"),
        extension=_extension(row),
        policies=policies.get(cluster_id, ()),
    )


def _extension(row: Row) -> Extension | None:
    state = text(row, "extensionState")
    if not state:
        return None
    message = "" if state == "Succeeded" else _first_message(row.get("extensionStatuses"))
    return Extension(state=state, version=text(row, "extensionVersion"), release_train=text(row, "releaseTrain"), message=message)


def _first_message(statuses: Any) -> str:
    """Of the extension's Statuses, whose fields begin with a capital letter."""
    found = (text(status, "Message") for status in statuses or [] if isinstance(status, dict))
    return next((message[:_MAX_MESSAGE] for message in found if message), "")


def seen(row: Row) -> Seen:
    """The fluxConfiguration of a row of the query `fleet`, or of what was made to look like one."""
    compliance = text(row, "compliance") or "Pending"  # absent until the first report
    return Seen(
        id=text(row, "id"),
        name=text(row, "configuration"),
        url=text(row, "url"),
        source_kind=text(row, "sourceKind") or "GitRepository",
        branch=text(row, "branch"),
        tag=text(row, "tag"),
        semver=text(row, "semver"),
        commit=text(row, "commit"),
        digest=text(row, "digest"),
        suspended=text(row, "suspend").lower() == "true",
        compliance=compliance,
        revision=text(row, "revision"),
        provisioning=text(row, "provisioning"),
        message="" if compliance == COMPLIANT else failure(row),
        values={name: values for name, values in substitutes(row.get("kustomizations")).items() if values},
    )
