"""Container `changes`: one document a delivery and ref, and the head of every ref."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.changes import Change
from shared.domain.errors import Conflict
from shared.domain.ledger import Head, head_id
from shared.ports import Sealer

CHANGE: Document[Change] = Document(
    struct=Change,
    kind="change",
    version=1,
    container="changes",
    place=lambda change: (change.source, change.id),
    clear=frozenset({"id", "source", "kind", "before", "revision", "forced", "pushedAt", "receivedAt"}),
)
HEAD: Document[Head] = Document(
    struct=Head,
    kind="head",
    version=1,
    container="changes",
    place=lambda head: (head.source, head.id),
    clear=frozenset({"id", "source", "revision", "sequence", "pushedAt", "changeId", "forced", "lineage", "rollouts"}),
)


@dataclass(frozen=True)
class CosmosChanges:
    """Implements ports.Changes."""

    database: Database
    sealer: Sealer

    async def record(self, change: Change) -> bool:
        try:
            await self._changes.save(change, "")
        except Conflict:
            return False
        return True

    async def get(self, source: str, change_id: str) -> Change | None:
        found = await self._changes.get(source, change_id)
        return found[0] if found else None

    async def head(self, source: str, ref: str) -> tuple[Head, str]:
        return await self._heads.get(source, head_id(ref)) or (Head(id=head_id(ref), source=source), "")

    async def save_head(self, head: Head, etag: str) -> None:
        # A head is what keeps a ref from going backwards: it outlives the changes of its container.
        document = {**await self._heads.encode(head), "ttl": -1}
        await self.database.save("changes", document, etag)

    @property
    def _changes(self) -> Shelf[Change]:
        return Shelf(self.database, self.sealer, CHANGE)

    @property
    def _heads(self) -> Shelf[Head]:
        return Shelf(self.database, self.sealer, HEAD)
