"""What is told to Azure Monitor, read from the containers by Cosmos DB's own time of the last write; and how far each stream is.

`_ts` is whole seconds, given by the service at each write (learn.microsoft.com, system properties of items).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from shared.azure.cosmos.audit import CosmosAudit
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Shelf
from shared.azure.cosmos.rollouts import ROLLOUT
from shared.domain.errors import Malformed
from shared.domain.log_rows import AUDIT, ROLLOUTS, Mark, Row, audit_row, rollout_row
from shared.ports import Sealer

_CONTAINERS = {AUDIT: ("audit", "audit"), ROLLOUTS: ("rollouts", "rollout")}  #: container, and the type of its documents
_MARKS = "log-stream."


@dataclass(frozen=True)
class CosmosLogStreams:
    """Implements ports.LogStreams. Marks live in `keys`, whose documents do not expire, under ids that no data key has."""

    database: Database
    sealer: Sealer

    def names(self) -> tuple[str, ...]:
        return tuple(_CONTAINERS)

    async def rows(self, stream: str, after: int, upto: int) -> AsyncIterator[tuple[int, Row]]:
        container, kind = _CONTAINERS[stream]
        text = "SELECT * FROM c WHERE c.type = @type AND c._ts > @after AND c._ts <= @upto ORDER BY c._ts"
        async for document in self.database.query(container, text, {"@type": kind, "@after": after, "@upto": upto}):
            yield int(document["_ts"]), await self._row(stream, document)

    async def mark(self, stream: str) -> tuple[Mark, str]:
        found = await self.database.read("keys", _MARKS + stream, _MARKS + stream)
        if found is None:
            return Mark(id=stream), ""
        try:
            return msgspec.convert({**found, "id": stream}, Mark), str(found["_etag"])
        except msgspec.ValidationError as error:
            raise Malformed(f"keys document {_MARKS}{stream}: {error}") from None

    async def save_mark(self, mark: Mark, etag: str) -> str:
        document = {**msgspec.to_builtins(mark), "id": _MARKS + mark.id, "type": "log-stream", "version": 1}
        return await self.database.save("keys", document, etag)

    async def _row(self, stream: str, document: dict[str, object]) -> Row:
        if stream == AUDIT:
            return audit_row(await CosmosAudit(self.database, self.sealer).open(document))
        return rollout_row(await Shelf(self.database, self.sealer, ROLLOUT).decode(document))
