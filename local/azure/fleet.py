"""Makes a fleet: connected clusters with tags, the Flux extension, and a configuration already compliant."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.azure import flux
from local.azure.agents import Agents
from local.azure.clock import utc_text
from local.azure.cloud import Cloud
from local.azure.faults import Faults
from local.azure.git_source import GitRepositories
from local.azure.resources import Cluster, Extension, FluxConfiguration, JsonObject
from local.azure.tokens import NAMESPACE

LOCATIONS = ("westeurope", "northeurope", "eastus", "southeastasia")
SITES = ("berlin", "lyon", "porto", "turin", "malmo", "gdansk", "leeds", "utrecht")
POLL_SECONDS = 5.0  # simulated; each cluster's own period is up to a fifth away from it
LEGACY_SHARE = 0.2
NO_FAULTS = Faults(0)
MADE_BY: JsonObject = {"createdBy": "platform@contoso.example", "createdByType": "User"}


@dataclass(frozen=True)
class FleetOrder:
    """`canary_share` and `legacy_share` are shares of 1; without `pinned` the configurations follow the branch. `bare` clusters
    have just been connected: without extension and configuration.
    """

    repository: str
    clusters: int = 50
    subscriptions: int = 1
    branch: str = "main"
    configuration: str = "platform"
    resource_group: str = "fleet"
    prefix: str = "cluster"
    seed: int = 1
    canary_share: float = 0.1
    legacy_share: float = LEGACY_SHARE
    pinned: bool = True
    sync_interval_in_seconds: int = 600
    kustomizations: dict[str, Any] = field(default_factory=lambda: {"platform": {"path": "", "prune": True}})
    url_forms: Sequence[str] = ()
    poll_seconds: float = POLL_SECONDS
    bare: bool = False
    kind: str = ""
    configurations_each: int = 1

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "FleetOrder":
        """Raises ValueError for a field that is unknown, TypeError when the repository is not given."""
        names = {_camel_case(name): name for name in cls.__dataclass_fields__}
        unknown = sorted(set(body) - set(names))
        if unknown:
            raise ValueError(f"unknown field {unknown[0]!r}; known: {', '.join(names)}")
        given: dict[str, Any] = {names[name]: value for name, value in body.items()}
        return cls(**given)


class FleetMaker:
    def __init__(self, cloud: Cloud, repositories: GitRepositories, agents: Agents) -> None:
        self._cloud = cloud
        self._repositories = repositories
        self._agents = agents

    async def make(self, order: FleetOrder) -> list[str]:
        """The ids of the new clusters. Raises SourceError when the branch cannot be resolved."""
        head = await self._repositories.resolve(order.repository, {"branch": order.branch})
        chance = random.Random(order.seed)  # noqa: S311 -- a repeatable simulation, not a secret
        subscriptions = [_subscription(order.seed, number) for number in range(order.subscriptions)]
        canaries = round(order.clusters * order.canary_share)
        made = []
        for number in range(order.clusters):
            ring = "canary" if number < canaries else "prod"
            cluster = _cluster(order, number, subscriptions[number % len(subscriptions)], ring, chance)
            self._cloud.add_cluster(cluster)
            made.append(cluster.id)
            if order.bare:
                continue
            self._cloud.add_child(_extension(cluster))
            forms = order.url_forms or (order.repository,)
            for name in _names(order):
                configuration = _configuration(order, cluster, name, forms[number % len(forms)], head.commit)
                configuration.observation = await flux.apply_commit(configuration, head, self._repositories, NO_FAULTS)
                self._cloud.add_child(configuration)
                self._agents.follow(configuration)
        return made


def _cluster(order: FleetOrder, number: int, subscription: str, ring: str, chance: random.Random) -> Cluster:
    now = utc_text()
    width = max(3, len(str(order.clusters - 1)))
    name = f"{order.prefix}-{number:0{width}}"
    period = order.poll_seconds * chance.uniform(0.8, 1.2)
    return Cluster(
        id=f"/subscriptions/{subscription}/resourceGroups/{order.resource_group}/providers/Microsoft.Kubernetes/connectedClusters/{name}",
        name=name,
        subscription=subscription,
        resource_group=order.resource_group,
        location=LOCATIONS[number % len(LOCATIONS)],
        tags={"ring": ring, "site": SITES[number % len(SITES)]},
        system_data=_system_data(now),
        last_connectivity_time=now,
        kind=order.kind,
        poll_period=period,
        poll_phase=chance.uniform(0, period),
        legacy_revisions=chance.random() < order.legacy_share,
    )


def _extension(cluster: Cluster) -> Extension:
    properties = {
        "extensionType": "microsoft.flux",
        "autoUpgradeMinorVersion": True,
        "releaseTrain": "Stable",
        "scope": {"cluster": {"releaseNamespace": "flux-system"}},
        "configurationSettings": {"notification-controller.enabled": "true"},
    }
    return Extension(
        cluster,
        "flux",
        properties,
        _system_data(utc_text()),
        provisioning_state="Succeeded",
        picked_up=1,
        identity={"type": "SystemAssigned"},
    )


def _names(order: FleetOrder) -> list[str]:
    """The second of several configurations of one cluster is named `platform-2`."""
    return [order.configuration if number == 1 else f"{order.configuration}-{number}" for number in range(1, order.configurations_each + 1)]


def _configuration(order: FleetOrder, cluster: Cluster, name: str, url: str, head: str) -> FluxConfiguration:
    reference = {"branch": order.branch} | ({"commit": head} if order.pinned else {})
    properties: JsonObject = {
        "scope": "cluster",
        "namespace": "cluster-config",
        "sourceKind": "GitRepository",
        "suspend": False,
        "waitForReconciliation": None,
        "reconciliationWaitDuration": None,
        "gitRepository": {
            "url": url,
            "timeoutInSeconds": 600,
            "syncIntervalInSeconds": order.sync_interval_in_seconds,
            "repositoryRef": reference,
        },
        "kustomizations": order.kustomizations,
    }
    return FluxConfiguration(
        cluster,
        name,
        properties,
        _system_data(utc_text()),
        provisioning_state="Succeeded",
        picked_up=1,
        reconciled=1,
    )


def _system_data(now: str) -> JsonObject:
    return {
        **MADE_BY,
        "createdAt": now,
        "lastModifiedBy": MADE_BY["createdBy"],
        "lastModifiedByType": MADE_BY["createdByType"],
        "lastModifiedAt": now,
    }


def _subscription(seed: int, number: int) -> str:
    return str(uuid.uuid5(NAMESPACE, f"subscription {seed} {number}"))


def _camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
