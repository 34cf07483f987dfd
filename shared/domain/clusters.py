"""Clusters as Azure knows them."""

import re
from typing import Protocol

from shared.domain.observations import AWAY
from shared.domain.record import Record

_CLUSTER_ID = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.kubernetes/connectedclusters/[^/]+", re.IGNORECASE
)
#: `kind` of a connected cluster that is AKS on Azure Local (azure-rest-api-specs, hybridkubernetes: ConnectedClusterKind).
PROVISIONED_CLUSTER = "ProvisionedCluster"


def is_cluster_id(resource_id: str) -> bool:
    """Whether an ARM id is that of a connected cluster."""
    return _CLUSTER_ID.fullmatch(resource_id) is not None


class Described(Protocol):
    """A cluster as any look shows it."""

    @property
    def location(self) -> str: ...
    @property
    def distribution(self) -> str: ...
    @property
    def kubernetes_version(self) -> str: ...
    @property
    def tags(self) -> dict[str, str]: ...


class OnCluster(Described, Protocol):
    """What selectors and templates read: a cluster by itself, or a fluxConfiguration with its cluster."""

    @property
    def name(self) -> str: ...
    @property
    def cluster_id(self) -> str: ...
    @property
    def cluster_name(self) -> str: ...
    @property
    def subscription(self) -> str: ...
    @property
    def resource_group(self) -> str: ...


#: Azure allows 50 tags of 768 characters on a cluster: more than a transaction of targets could hold.
_MOST_OF_TAGS = 2000


class Traits(Record, frozen=True):
    """What alerts may ask of a cluster beside what its ARM id tells."""

    location: str = ""
    distribution: str = ""
    kubernetes_version: str = ""
    tags: dict[str, str] = {}


def traits_of(cluster: Described) -> Traits:
    """With the tags, by name, that have room: at least sixteen of ordinary length."""
    room, tags = _MOST_OF_TAGS, {}
    for name, value in sorted(cluster.tags.items()):
        room -= len(name) + len(value)
        if room >= 0:
            tags[name] = value
    return Traits(location=cluster.location, distribution=cluster.distribution, kubernetes_version=cluster.kubernetes_version, tags=tags)


class Cluster(Record, frozen=True):
    """A connected cluster."""

    id: str  #: ARM id, lower case
    cluster_name: str
    subscription: str
    resource_group: str
    location: str
    distribution: str
    kubernetes_version: str
    tags: dict[str, str]
    connectivity: str  #: Connecting, Connected, Offline, Expired, AgentNotInstalled
    kind: str = ""

    @property
    def cluster_id(self) -> str:
        """As a fluxConfiguration has it."""
        return self.id

    @property
    def name(self) -> str:
        """No fluxConfiguration: a selector of clusters names none."""
        return ""

    @property
    def is_away(self) -> bool:
        return self.connectivity in AWAY

    @property
    def offering(self) -> str:
        """In words that people know it by."""
        return "AKS on Azure Local" if self.kind.lower() == PROVISIONED_CLUSTER.lower() else "Azure Arc"
