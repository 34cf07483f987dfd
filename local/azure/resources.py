"""What exists in the simulated cloud: connected clusters, and the extensions and fluxConfigurations on them."""

from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]
SOURCE_OF_KIND = {
    "GitRepository": "gitRepository",
    "Bucket": "bucket",
    "AzureBlob": "azureBlob",
    "OCIRepository": "ociRepository",
}


@dataclass
class Operation:
    """A long-running operation; `status` is InProgress until the cluster's agent has acted."""

    id: str
    status: str = "InProgress"
    error: JsonObject | None = None

    @property
    def is_open(self) -> bool:
        return self.status == "InProgress"


@dataclass
class Cluster:
    id: str
    name: str
    subscription: str
    resource_group: str
    location: str
    tags: dict[str, str]
    system_data: JsonObject
    last_connectivity_time: str
    connectivity: str = "Connected"
    kubernetes_version: str = "1.31.4"
    distribution: str = "aks_edge"
    kind: str = ""
    properties: JsonObject = field(default_factory=dict)
    poll_period: float = 5.0
    poll_phase: float = 0.0
    legacy_revisions: bool = False
    children: dict[tuple[str, str], "ProxyResource"] = field(default_factory=dict)

    @property
    def is_online(self) -> bool:
        return self.connectivity == "Connected"


@dataclass
class ProxyResource:
    """A resource on a cluster. `generation` counts what was asked of it, `picked_up` what its agent has seen."""

    cluster: Cluster
    name: str
    properties: JsonObject
    system_data: JsonObject
    provisioning_state: str = "Creating"
    generation: int = 1
    picked_up: int = 0
    writes: int = 0
    deleting: bool = False
    operation: Operation | None = None
    protected_settings: dict[str, str] = field(default_factory=dict)

    collection = ""
    provider = "Microsoft.KubernetesConfiguration"

    @property
    def id(self) -> str:
        return f"{self.cluster.id}/providers/{self.provider}/{self.collection}/{self.name}"

    @property
    def key(self) -> tuple[str, str]:
        return self.collection.lower(), self.name.lower()

    def finish_operation(self, status: str = "Succeeded") -> None:
        self.provisioning_state = status
        if self.operation is not None and self.operation.is_open:
            self.operation.status = status


@dataclass(frozen=True)
class Condition:
    """A Flux object's Ready condition."""

    ready: bool
    reason: str
    message: str
    at: str


@dataclass(frozen=True)
class Observation:
    """What the agent last reported of a fluxConfiguration."""

    compliance_state: str
    synced: str | None = None
    commit: str | None = None
    source: Condition | None = None
    kustomizations: dict[str, Condition] = field(default_factory=dict)
    source_updated_at: str | None = None
    status_updated_at: str | None = None


@dataclass
class FluxConfiguration(ProxyResource):
    """`reconciled` is the generation that the last observation is of."""

    observation: Observation = Observation("Pending")
    reconciled: int = 0
    collection = "fluxConfigurations"

    @property
    def source_kind(self) -> str:
        return str(self.properties.get("sourceKind", "GitRepository"))

    @property
    def source(self) -> JsonObject:
        """What is asked of the source of this kind."""
        return self.properties.get(SOURCE_OF_KIND[self.source_kind]) or {}

    @property
    def reference(self) -> dict[str, str | None]:
        return self.source.get("repositoryRef") or {}

    @property
    def is_pinned(self) -> bool:
        return bool(self.reference.get("commit") or self.reference.get("digest"))


@dataclass
class Extension(ProxyResource):
    identity: JsonObject | None = None
    collection = "extensions"
