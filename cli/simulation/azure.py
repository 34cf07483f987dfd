"""Azure as the app sees it: Resource Manager with its token buckets, Resource Graph with what the clusters have reported; and who is
called at a gate.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec.structs import replace

from cli.simulation.model import (
    ARM_BURST,
    ARM_PER_SECOND,
    CALL_SECONDS,
    GRAPH_PAGE_ROWS,
    GRAPH_PAGE_SECONDS,
    LOCATIONS,
    SITES,
    ClusterTraits,
)
from cli.simulation.virtual_time import VirtualClock
from local.azure.buckets import Rate, TokenBucket
from shared.domain.errors import Rejected, Throttled
from shared.domain.observations import COMPLIANT, NON_COMPLIANT, FluxConfiguration, Observation
from shared.domain.pins import Pin
from shared.domain.rollouts import Target

URL, BRANCH = "https://github.com/contoso/platform", "main"
OLD, NEW = "a" * 40, "b" * 40  #: the commit that every cluster is on, and the pushed one
_CONFIGURATION = "platform"


class SimulatedCluster:
    """One cluster with its fluxConfiguration: what was written to it last, and how that goes."""

    def __init__(self, traits: ClusterTraits, name: str, clock: VirtualClock) -> None:
        self.traits = traits
        self._clock = clock
        self._since = clock()
        self._asked, self._before = OLD, OLD
        self._written_at: float | None = None
        self.found = self._discovered(name)

    def write(self, commit: str) -> None:
        """ARM has accepted a PATCH. The same commit again changes nothing."""
        if commit != self._asked:
            self._before, self._asked, self._written_at = self._asked, commit, self._clock.seconds()

    def look(self) -> FluxConfiguration:
        """As Resource Graph shows it now."""
        return replace(self.found, observation=self._observed())

    def _observed(self) -> Observation:
        now, traits = self._clock.seconds(), self.traits
        compliance, commit, reported = COMPLIANT, self._before, 0.0
        if self._written_at is not None and now >= traits.polls_after(self._written_at) + traits.lag_seconds:
            compliance, reported = "Pending", traits.polls_after(self._written_at)
        if self._written_at is not None and now >= traits.shown_at(self._written_at):
            compliance, commit, reported = self._outcome, self._asked, traits.reports_at(self._written_at)
        return Observation(
            compliance=compliance,
            revision=f"{BRANCH}@sha1:{commit}",
            provisioning="Succeeded",
            connectivity="Offline" if now < traits.back_at else "Connected",
            observed_at=self._clock(),
            reported_at=self._clock.at(reported),
            message="kustomization platform: health check failed" if compliance == NON_COMPLIANT else "",
        )

    @property
    def _outcome(self) -> str:
        return NON_COMPLIANT if self.traits.fails and self._asked == NEW else COMPLIANT

    def _discovered(self, name: str) -> FluxConfiguration:
        traits = self.traits
        group = f"/subscriptions/{traits.subscription}/resourcegroups/fleet"
        cluster = f"{group}/providers/microsoft.kubernetes/connectedclusters/{name}"
        return FluxConfiguration(
            id=f"{cluster}/providers/microsoft.kubernetesconfiguration/fluxconfigurations/{_CONFIGURATION}",
            name=_CONFIGURATION,
            cluster_id=cluster,
            cluster_name=name,
            subscription=traits.subscription,
            resource_group="fleet",
            location=LOCATIONS[traits.number % len(LOCATIONS)],
            distribution="k3s",
            kubernetes_version="1.33.4",
            tags={"ring": traits.ring, "site": SITES[traits.number % len(SITES)]},
            url=URL,
            branch=BRANCH,
            tag="",
            commit=OLD,
            observation=self._observed(),
        )


class SimulatedFleet:
    """Implements ports.Fleet. A whole look shows the fleet as it was when it began, and takes the time of its pages."""

    def __init__(self, clusters: Sequence[SimulatedCluster]) -> None:
        self._clusters = clusters

    async def configurations(self, search_term: str) -> AsyncIterator[FluxConfiguration]:
        seen = [cluster.look() for cluster in self._clusters]
        await asyncio.sleep(math.ceil(len(seen) / GRAPH_PAGE_ROWS) * GRAPH_PAGE_SECONDS)
        for each in seen:
            yield each


class SimulatedResourceManager:
    """Implements ports.ResourceManager. Counts what it accepted and what it refused for being too fast."""

    def __init__(self, clusters: Sequence[SimulatedCluster], clock: VirtualClock) -> None:
        self._clusters = {cluster.found.id: cluster for cluster in clusters}
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}
        self.throttled = 0
        self.updates: list[tuple[float, int]] = []  #: seconds and stage of each that was accepted

    async def pin(self, target: Target, pin: Pin) -> None:
        """Raises Throttled."""
        cluster = self._clusters[target.configuration_id]
        bucket = self._buckets.setdefault(target.subscription, TokenBucket(Rate(ARM_BURST, ARM_PER_SECOND), self._clock.seconds))
        take = bucket.take()
        await asyncio.sleep(cluster.traits.arm_seconds)
        if not take.allowed:
            self.throttled += 1
            raise Throttled("too many writes", status=429, retry_after=take.retry_after_seconds)
        self.updates.append((self._clock.seconds(), target.stage))
        cluster.write(pin.revision)


class NoReceivers:
    """A simulated rollout writes to Azure: no cluster is called."""

    async def call(self, address: str, body: bytes, *, headers: Mapping[str, str], private_addresses: bool) -> None:
        raise Rejected("the simulated clusters cannot be called", code="NoReceiver")


class SimulatedGateService:
    """Implements ports.GateCaller and ports.Secrets: it takes every question; `People` answer in its place."""

    async def post_bytes(self, address: str, body: bytes, *, headers: Mapping[str, str]) -> object:
        await asyncio.sleep(CALL_SECONDS)
        return None

    async def get(self, reference: str) -> str:
        await asyncio.sleep(CALL_SECONDS)
        return f"whsec_{'A' * 32}"
