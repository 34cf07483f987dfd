"""Azure's resources, read and written; and the clusters that are onboarded."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from shared.domain.cluster_resources import Found, Write
from shared.domain.clusters import Cluster
from shared.domain.onboarding_progress import OnboardingState, Progress, ProgressGlance
from shared.domain.pins import Pin
from shared.domain.policies import Policy
from shared.domain.rollouts import Target


class ResourceManager(Protocol):
    """Azure Resource Manager."""

    async def pin(self, target: Target, pin: Pin) -> None:
        """Writes a revision, and the values that go with it, to the target's fluxConfiguration: one PATCH, not waited for.

        Raises Throttled, Unavailable, Busy, or Rejected with ARM's code.
        """
        ...


class ClusterResources(Protocol):
    """Azure Resource Manager: one cluster, its Flux extension and its fluxConfigurations.

    Everything here raises Throttled, Unavailable, Busy, or Rejected with ARM's code.
    """

    async def cluster(self, cluster_id: str) -> Cluster | None: ...

    async def extension(self, cluster_id: str) -> Found | None:
        """The Flux extension, whatever its name."""
        ...

    async def configuration(self, cluster_id: str, name: str) -> Found | None: ...

    async def has_configurations(self, cluster_id: str) -> bool: ...

    async def write(self, cluster_id: str, write: Write) -> None:
        """One call, not waited for: Azure may keep it open for 48 hours. The secrets are values in their places by now."""
        ...


class Clusters(Protocol):
    """Azure Resource Graph: all connected clusters in scope, and Azure Policy's assignments."""

    def clusters(self) -> AsyncIterator[Cluster]:
        """Page by page. Raises Throttled or Unavailable."""
        ...

    async def policies(self) -> list[Policy]:
        """The assignments of the built-in definitions that write Flux; remembered for a minute. Raises Throttled or Unavailable."""
        ...


class Onboardings(Protocol):
    """How far each cluster is on its way to its baseline."""

    async def get(self, cluster_id: str) -> tuple[Progress, str] | None:
        """The progress of a cluster (ARM id, lower case) and its ETag."""
        ...

    async def save(self, progress: Progress, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...

    async def drop(self, progress: Progress) -> None: ...

    async def glances(self) -> list[ProgressGlance]:
        """What can be seen of every one of them without opening it."""
        ...

    async def open(self, progress_ids: Sequence[str]) -> list[Progress]: ...

    async def some(self, *, state: OnboardingState | None, after: str, limit: int) -> list[Progress]:
        """The first `limit` whose id comes after `after`, by id: for people."""
        ...
