"""In-memory implementations of the ports behind onboarding."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from fakes import Faults, Shelf
from model_arm import ModelArm

from shared.domain.cluster_resources import Found, Write
from shared.domain.clusters import Cluster
from shared.domain.onboarding_progress import OnboardingState, Progress, ProgressGlance
from shared.domain.policies import Policy


class FakeOnboardings:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.kept: Shelf[Progress] = Shelf(faults)

    async def get(self, cluster_id: str) -> tuple[Progress, str] | None:
        return await self.kept.get(cluster_id)

    async def save(self, progress: Progress, etag: str) -> str:
        return await self.kept.save(progress.cluster_id, progress, etag)

    async def drop(self, progress: Progress) -> None:
        await self._faults.write()
        self.kept.drop(progress.cluster_id)

    async def glances(self) -> list[ProgressGlance]:
        await self._faults.read()
        return [ProgressGlance(id=p.id, aim=p.aim, seen_as=p.seen_as, again_at=p.again_at, looked_at=p.looked_at) for p in self.kept.all()]

    async def open(self, progress_ids: Sequence[str]) -> list[Progress]:
        return [progress for progress in self.kept.all() if progress.id in progress_ids]

    async def some(self, *, state: OnboardingState | None, after: str, limit: int) -> list[Progress]:
        found = sorted((p for p in self.kept.all() if p.id > after and state in (None, p.state)), key=lambda p: p.id)
        return found[:limit]


class FakeArm:
    """Clusters and what is on them. `answers`: what the next calls raise, one by one (None = answered); then all are answered."""

    def __init__(self) -> None:
        self.models: dict[str, ModelArm] = {}
        self.reads = 0
        self.answers: list[Exception | None] = []
        self.write_answers: list[Exception | None] = []  #: the same, for writes alone
        self.meanwhile: Callable[[], object] | None = None

    def add(self, *clusters: Cluster) -> None:
        for cluster in clusters:
            self.models[cluster.id] = ModelArm(cluster)

    async def cluster(self, cluster_id: str) -> Cluster | None:
        await self._read()
        return self.models[cluster_id].cluster if cluster_id in self.models else None

    async def extension(self, cluster_id: str) -> Found | None:
        await self._read()
        return self.models[cluster_id].extension()

    async def configuration(self, cluster_id: str, name: str) -> Found | None:
        await self._read()
        return self.models[cluster_id].found("configuration", name)

    async def has_configurations(self, cluster_id: str) -> bool:
        await self._read()
        return self.models[cluster_id].has_configurations()

    async def write(self, cluster_id: str, write: Write) -> None:
        assert write.secrets == {}, "secrets are values by now"
        await self._answer()
        answer = self.write_answers.pop(0) if self.write_answers else None
        if answer is not None:
            if getattr(answer, "unanswered", False):
                self.models[cluster_id].write(write)
            raise answer
        self.models[cluster_id].write(write)

    async def _read(self) -> None:
        self.reads += 1
        await self._answer()

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.meanwhile:
            self.meanwhile()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


class FakeClusters:
    """Resource Graph: what ARM has, unless `unseen`."""

    def __init__(self, arm: FakeArm) -> None:
        self._arm = arm
        self.unseen: set[str] = set()
        self.found_policies: list[Policy] = []
        self.asked = 0

    async def clusters(self) -> AsyncIterator[Cluster]:
        self.asked += 1
        for model in list(self._arm.models.values()):
            await asyncio.sleep(0)
            if model.cluster and model.cluster.id not in self.unseen:
                yield model.cluster

    async def policies(self) -> list[Policy]:
        return list(self.found_policies)
