"""Someone else wrote a fluxConfiguration: how it departs from what was asked is judged at once."""

import asyncio
from dataclasses import dataclass

from shared.domain import clusters, fleet
from shared.domain.clock import Clock
from shared.domain.configurations import cluster_id, cluster_of, configuration_id, is_held
from shared.domain.drift import DriftPolicy, asked_of
from shared.domain.errors import Conflict, Upstream
from shared.domain.fleet import Asked, Page, page_id, page_number
from shared.domain.fleet_changes import SingleLook, Writer, renew_one
from shared.domain.foreign_writes import ForeignWrite
from shared.domain.record import digest
from shared.log import event_logger
from shared.ports import ClusterResources, Configurations, FleetPages, FluxConfigurations, ForeignWrites
from shared.services.asides import Asides

log = event_logger("sluice.look_for_drift")

#: Event Grid waits 30 seconds for an answer (learn.microsoft.com, Event Grid message delivery and retry).
_PATIENCE_SECONDS = 15.0


@dataclass(frozen=True)
class LookForDrift:
    """The page of its cluster is written as a sweep writes it, so whichever of event and sweep comes first finds the drift."""

    configurations: Configurations
    flux_configurations: FluxConfigurations
    clusters: ClusterResources
    foreign_writes: ForeignWrites
    store: FleetPages
    asides: Asides
    policy: DriftPolicy
    clock: Clock

    async def __call__(self, write: ForeignWrite) -> None:
        """What cannot be seen now is left to the sweep, and so is what Sluice has written since, or is writing."""
        if await self._asked(write) is None:
            return
        while True:
            # The page is read before the look: whoever saves at its ETag has seen nothing that is older than what is on it.
            page, etag = await self.store.page(page_id(page_number(cluster_of(write.configuration_id))))
            single = await self._look(write, page)
            renewed = renew_one(page, single) if single else page
            try:
                if renewed is not page:
                    etag = await self.store.save_page(renewed, etag)
            except Conflict:
                continue
            await self.asides.say(renewed, etag)
            return

    async def _look(self, write: ForeignWrite, page: Page) -> SingleLook | None:
        key = write.configuration_id
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                seen = await self.flux_configurations.seen(key)
                cluster = await self._cluster(cluster_of(key), page, is_there=seen is not None)
        except (TimeoutError, Upstream) as error:
            log.warning("drift.look-failed", extra={"error": type(error).__name__})
            return None
        # What was asked is read after what is seen: an update in between would look like someone else's.
        asked, now = await self._asked(write), self.clock()
        if asked is None or cluster is None:
            return None
        return SingleLook(
            id=digest("single-look", key, write.event_id, now.isoformat()),
            cause=f"event {write.event_id}",
            key=key,
            cluster=cluster,
            seen=seen,
            now=now,
            wrote_at=write.at,
            writer=await self._writer(write),
            asked=asked,
            policy=self.policy,
        )

    async def _asked(self, write: ForeignWrite) -> Asked | None:
        """None where nothing was asked, or something was since that write."""
        key = write.configuration_id
        record, _ = await self.configurations.get(cluster_id(key), configuration_id(key))
        asked = None if is_held(record, self.clock()) else asked_of(record)
        return asked if asked and write.at > asked.applied_at else None

    async def _cluster(self, cluster: str, page: Page, *, is_there: bool) -> fleet.Cluster | None:
        """As the sweep knows it. One that it does not know, or that may have gone with all that was on it, is asked for."""
        known = page.members.get(cluster)
        if known and is_there:
            return known.cluster
        found = await self.clusters.cluster(cluster)
        if found is None:
            return None
        return known.cluster if known else _bare(found)

    async def _writer(self, write: ForeignWrite) -> Writer:
        """The newest that is known: this event may be late."""
        newest = await self.foreign_writes.get(write.configuration_id) or write
        return Writer(by=newest.caller, at=newest.at)


def _bare(found: clusters.Cluster) -> fleet.Cluster:
    """The cluster without what only a sweep shows: its extension, its agents and its policies."""
    return fleet.Cluster(
        id=found.id,
        name=found.cluster_name,
        subscription=found.subscription,
        resource_group=found.resource_group,
        location=found.location,
        distribution=found.distribution,
        kubernetes_version=found.kubernetes_version,
        tags=found.tags,
        connectivity=found.connectivity,
        agent_version="",
        kind=found.kind,
    )
