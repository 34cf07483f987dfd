"""Container `audit`: one chain of records a stream. The id of a record is its number, so two writers never share a place."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from shared.azure.cosmos.database import Database, Json
from shared.azure.cosmos.documents import FLEET, Document, Shelf
from shared.azure.data_keys import KeyGone
from shared.domain.audit import Entry, Link, make_link
from shared.domain.errors import Conflict, Malformed, Sealed
from shared.ports import Sealer

_SALT_BYTES = 16
_LOOK_BACK = 16
_CLEAR = ("stream", "number", "entryId", "at", "contentHash", "previous", "hash")
_CLOSED = ", ".join(f'c["{name}"]' for name in ("id", *_CLEAR))

LINK: Document[Link] = Document(
    struct=Link,
    kind="audit",
    version=1,
    container="audit",
    place=lambda link: (link.stream, f"{link.number:012}"),
    clear=frozenset(_CLEAR),
    scope=lambda link: (link.entry.subscription if link.entry else "") or FLEET,
)


@dataclass(frozen=True)
class CosmosAudit:
    """Implements ports.Audit."""

    database: Database
    sealer: Sealer

    async def append(self, entry: Entry) -> None:
        while True:
            # The end of the chain first: should another writer add this entry after the look, our place is taken by then.
            newest = await self._newest(entry.stream)
            if any(link.entry_id == entry.id for link in newest):
                return
            if len(newest) == _LOOK_BACK and await self._has(entry):
                return
            link = make_link(newest[0] if newest else None, entry, secrets.token_hex(_SALT_BYTES))
            try:
                await self._shelf.save(link, "")
            except Conflict:
                continue
            return

    async def read(self, stream: str | None = None) -> AsyncIterator[Link]:
        streams = [stream] if stream else await self._streams()
        for each in streams:
            text = "SELECT * FROM c WHERE c.stream = @stream ORDER BY c.id"
            async for document in self.database.query("audit", text, {"@stream": each}, partition=each):
                yield await self.open(document)

    async def _has(self, entry: Entry) -> bool:
        text = "SELECT TOP 1 c.id FROM c WHERE c.stream = @stream AND c.entryId = @entry"
        found = self.database.query("audit", text, {"@stream": entry.stream, "@entry": entry.id}, partition=entry.stream)
        return await anext(found, None) is not None

    async def _newest(self, stream: str) -> list[Link]:
        """The end of the chain, newest first; clear fields are all that the next link needs. Most chains are no longer than this, so
        that one query is enough to know that an entry is not there yet.
        """
        text = f"SELECT TOP {_LOOK_BACK} {_CLOSED} FROM c WHERE c.stream = @stream ORDER BY c.id DESC"  # noqa: S608 -- our own fields' names
        return [_closed(document) async for document in self.database.query("audit", text, {"@stream": stream}, partition=stream)]

    async def open(self, document: Json) -> Link:
        """A record whose data key was destroyed keeps its place in the chain; one that was changed loses its hash, and so shows."""
        try:
            return await self._shelf.decode(document)
        except KeyGone:
            return _closed(document)
        except Sealed:
            return replace(_closed(document), content_hash="")

    async def _streams(self) -> list[str]:
        found = self.database.query("audit", "SELECT c.stream FROM c WHERE c.number = @first", {"@first": 1})
        return sorted({document["stream"] async for document in found})

    @property
    def _shelf(self) -> Shelf[Link]:
        return Shelf(self.database, self.sealer, LINK)


def _closed(document: Json) -> Link:
    try:
        return msgspec.convert({**document, "salt": "", "entry": None}, Link)
    except msgspec.ValidationError as error:
        raise Malformed(f"audit document {document.get('id')}: {error}") from None
