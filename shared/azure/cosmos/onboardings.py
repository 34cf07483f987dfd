"""Container `configurations`: one document a cluster that has, had or shall have a baseline, all in one partition for the sweep's sake."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.errors import Malformed
from shared.domain.onboarding_progress import OnboardingState, Progress, ProgressGlance, progress_id
from shared.ports import Sealer

_PARTITION = "onboarding"
_TOGETHER = 100
_SHOWN = ", ".join(f"c.{name}" for name in ("id", "aim", "seenAs", "againAt", "lookedAt"))

PROGRESS: Document[Progress] = Document(
    struct=Progress,
    kind="onboarding",
    version=1,
    container="configurations",
    place=lambda progress: (_PARTITION, progress.id),
    clear=frozenset({"id", "subscription", "state", "since", "aim", "visit", "seenAs", "againAt", "lookedAt"}),
    scope=lambda progress: progress.subscription,
)


@dataclass(frozen=True)
class CosmosOnboardings:
    """Implements ports.Onboardings."""

    database: Database
    sealer: Sealer

    async def get(self, cluster_id: str) -> tuple[Progress, str] | None:
        return await self._shelf.get(_PARTITION, progress_id(cluster_id))

    async def save(self, progress: Progress, etag: str) -> str:
        return await self._shelf.save(progress, etag)

    async def drop(self, progress: Progress) -> None:
        await self.database.delete("configurations", progress.id, _PARTITION)

    async def glances(self) -> list[ProgressGlance]:
        text = f"SELECT {_SHOWN} FROM c WHERE c.clusterId = @partition"  # noqa: S608 -- our own fields' names
        found = self.database.query("configurations", text, {"@partition": _PARTITION}, partition=_PARTITION)
        return [_glance(document) async for document in found]

    async def open(self, progress_ids: Sequence[str]) -> list[Progress]:
        text = "SELECT * FROM c WHERE c.clusterId = @partition AND ARRAY_CONTAINS(@ids, c.id)"
        opened: list[Progress] = []
        for start in range(0, len(progress_ids), _TOGETHER):
            parameters = {"@partition": _PARTITION, "@ids": list(progress_ids[start : start + _TOGETHER])}
            found = self.database.query("configurations", text, parameters, partition=_PARTITION)
            opened += [await self._shelf.decode(document) async for document in found]
        return opened

    async def some(self, *, state: OnboardingState | None, after: str, limit: int) -> list[Progress]:
        where = "FROM c WHERE c.clusterId = @partition AND c.id > @after"
        parameters: dict[str, object] = {"@partition": _PARTITION, "@after": after}
        if state:
            where, parameters = f"{where} AND c.state = @state", {**parameters, "@state": state}
        text = f"SELECT TOP {int(limit)} * {where} ORDER BY c.id"
        found = self.database.query("configurations", text, parameters, partition=_PARTITION)
        return [await self._shelf.decode(document) async for document in found]

    @property
    def _shelf(self) -> Shelf[Progress]:
        return Shelf(self.database, self.sealer, PROGRESS)


def _glance(document: dict[str, object]) -> ProgressGlance:
    try:
        return msgspec.convert(document, ProgressGlance)
    except msgspec.ValidationError as error:
        raise Malformed(f"onboarding document {document.get('id')}: {error}") from None
