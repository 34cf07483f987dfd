"""Container `changes`: one document a delivery and ref, the head of every ref, and the list of those that wait to be planned.

The results of checks are there too: `checks.py`.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.changes import Change, Unplanned
from shared.domain.errors import Conflict
from shared.domain.ledger import Head, head_id
from shared.ports import Sealer

_UNPLANNED = "unplanned"

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
    clear=frozenset({"id", "source", "revision", "sequence", "pushedAt", "changeId", "forced", "lineage", "skipped", "rollouts"}),
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

    async def mark_unplanned(self, change: Change, *, due: datetime | None = None) -> None:
        since = (due or change.received_at).isoformat()
        mark = {"id": change.id, "source": _UNPLANNED, "type": "unplanned", "of": change.source, "since": since}
        with contextlib.suppress(Conflict):
            await self.database.create_item("changes", mark)

    async def unmark_unplanned(self, change_id: str) -> None:
        await self.database.delete("changes", change_id, _UNPLANNED)

    async def unplanned(self) -> list[Unplanned]:
        found = self.database.query("changes", "SELECT * FROM c WHERE c.source = @list", {"@list": _UNPLANNED}, partition=_UNPLANNED)
        return [Unplanned(change_id=mark["id"], source=mark["of"], since=datetime.fromisoformat(mark["since"])) async for mark in found]

    async def head(self, source: str, ref: str) -> tuple[Head, str]:
        return await self._heads.get(source, head_id(ref)) or (Head(id=head_id(ref), source=source), "")

    async def save_head(self, head: Head, etag: str) -> None:
        # A head is what keeps a ref from going backwards: it outlives the changes of its container.
        document = {**await self._heads.encode(head), "ttl": -1}
        await self.database.save("changes", document, etag)

    async def heads_at(self, source: str, revision: str) -> list[Head]:
        text = "SELECT * FROM c WHERE c.source = @source AND c.type = 'head' AND c.revision = @revision"
        found = self.database.query("changes", text, {"@source": source, "@revision": revision}, partition=source)
        return [await self._heads.decode(document) async for document in found]

    @property
    def _changes(self) -> Shelf[Change]:
        return Shelf(self.database, self.sealer, CHANGE)

    @property
    def _heads(self) -> Shelf[Head]:
        return Shelf(self.database, self.sealer, HEAD)
