"""What the configuration in force wants of a cluster, and what of it is Azure Policy's."""

from dataclasses import dataclass

from shared.config.models import Config
from shared.domain.baselines import Wanted
from shared.domain.clusters import Cluster
from shared.domain.onboarding_tasks import aim
from shared.domain.policies import Governed, governed
from shared.domain.record import digest
from shared.domain.templates import Unfilled
from shared.ports import Clusters


@dataclass(frozen=True)
class WantedOf:
    """Of the first baseline that selects it."""

    config: Config
    clusters: Clusters

    @property
    def has_baselines(self) -> bool:
        return bool(self.config.baselines)

    async def __call__(self, cluster: Cluster) -> tuple[Wanted | None, Governed, str]:
        """What is wanted (None: nothing), what Azure Policy writes, and why it cannot be wanted of this cluster ("": it can)."""
        baseline = self.config.baseline(cluster)
        if baseline is None:
            return None, Governed(), ""
        try:
            wanted = baseline.wanted(cluster)
        except Unfilled as unfilled:
            return Wanted(baseline=baseline.name, pieces=()), Governed(), f"baseline {baseline.name}: {unfilled}"
        return wanted, governed(await self.clusters.policies(), cluster.id), ""

    @staticmethod
    def aim(wanted: Wanted | None, found: Governed, problem: str) -> str:
        """Another one as soon as anything of it is."""
        return digest("problem", problem) if problem else aim(wanted, found)
