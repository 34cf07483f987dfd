"""The whole fleet is looked at for clusters that are not on their way though they should be: events get lost, files are changed."""

from dataclasses import dataclass
from datetime import timedelta

from shared.domain.clock import Clock
from shared.domain.clusters import Cluster
from shared.domain.messages import ONBOARDING, OnboardCluster
from shared.domain.onboarding_progress import ProgressGlance, progress_id
from shared.log import event_logger
from shared.ports import Clusters, Onboardings, Queue
from shared.services.concurrency import map_bounded
from shared.services.onboard import is_lost
from shared.services.wanted import WantedOf

log = event_logger("sluice.clusters")

_LOOK_FOR_GONE_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class SweepClusters:
    """The use case behind the timer `sweep_clusters`: one query for all clusters, and one for all that is known of them."""

    onboardings: Onboardings
    clusters: Clusters
    wanted: WantedOf
    queue: Queue
    clock: Clock
    lost_after: timedelta

    async def __call__(self) -> None:
        """Without baselines, and with nothing that they have left behind, Azure is not asked."""
        known = {glance.id: glance for glance in await self.onboardings.glances()}
        if not known and not self.wanted.has_baselines:
            return
        concerned, present = [], set()
        async for cluster in self.clusters.clusters():
            present.add(progress_id(cluster.id))
            if await self._is_concerned(cluster, known.get(progress_id(cluster.id))):
                concerned.append(cluster.id)
        concerned += await self._gone([glance for glance in known.values() if glance.id not in present])
        await map_bounded(self._send, concerned)
        log.info("clusters.swept", extra={"clusters": len(present), "concerned": len(concerned)})

    async def _is_concerned(self, cluster: Cluster, glance: ProgressGlance | None) -> bool:
        wanted, governed, problem = await self.wanted(cluster)
        if glance is None:
            return wanted is not None
        if self.wanted.aim(wanted, governed, problem) != glance.aim:
            return True
        if glance.again_at is None:
            return False
        return glance.seen_as != cluster.connectivity or is_lost(glance.again_at, self.lost_after, self.clock())

    async def _gone(self, missing: list[ProgressGlance]) -> list[str]:
        """Those that Resource Graph does not show: a visit finds out whether they are gone, or only out of its sight."""
        now = self.clock()
        due = [glance.id for glance in missing if glance.looked_at is None or now - glance.looked_at > _LOOK_FOR_GONE_EVERY]
        return [progress.cluster_id for progress in await self.onboardings.open(due)]

    async def _send(self, cluster_id: str) -> None:
        await self.queue.send(ONBOARDING, OnboardCluster(cluster_id=cluster_id))
