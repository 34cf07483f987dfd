"""Container `changes`: the last event of each object in a bucket, beside the changes of its source. It lives as long as they do."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.buckets import ObjectEvent, is_later
from shared.domain.errors import Conflict
from shared.domain.record import Record, digest
from shared.ports import Sealer


class LastEvent(Record, frozen=True):
    """An object's last event, and the source that the object is part of."""

    source: str
    event: ObjectEvent


LAST_EVENT: Document[LastEvent] = Document(
    struct=LastEvent,
    kind="last-event",
    version=1,
    container="changes",
    place=lambda last: (last.source, digest("object", last.event.key)),
    clear=frozenset({"source"}),
)


@dataclass(frozen=True)
class CosmosObjectEvents:
    """Implements ports.ObjectEvents."""

    database: Database
    sealer: Sealer

    async def advance(self, source: str, event: ObjectEvent) -> bool:
        shelf, last = Shelf(self.database, self.sealer, LAST_EVENT), LastEvent(source=source, event=event)
        while True:
            found = await shelf.get(*LAST_EVENT.place(last))
            if found and not is_later(event, found[0].event):
                return not is_later(found[0].event, event)
            try:
                await shelf.save(last, found[1] if found else "")
            except Conflict:
                continue
            return True
