"""What is told to Azure Monitor, and how far each stream is. Audit records and rollouts are read by Cosmos DB's own time of the last
write, the fleet by the numbers of its sweeps.

`_ts` is whole seconds, given by the service at each write (learn.microsoft.com, system properties of items).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared.azure.cosmos.audit import CosmosAudit
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Shelf
from shared.azure.cosmos.fleet import CosmosFleet
from shared.azure.cosmos.rollouts import ROLLOUT
from shared.domain.compliance_rows import compliance_rows
from shared.domain.errors import Malformed
from shared.domain.log_rows import AUDIT, COMPLIANCE, ROLLOUTS, Mark, Row, audit_row, rollout_row
from shared.ports import Sealer

_CONTAINERS = {AUDIT: ("audit", "audit"), ROLLOUTS: ("rollouts", "rollout")}  #: container, and the type of its documents
_MARKS = "log-stream."


@dataclass(frozen=True)
class CosmosLogStreams:
    """Implements ports.LogStreams. Marks live in `keys`, whose documents do not expire, under ids that no data key has."""

    database: Database
    sealer: Sealer

    def names(self) -> tuple[str, ...]:
        return (*_CONTAINERS, COMPLIANCE)

    async def span(self, stream: str, since: datetime, until: datetime) -> tuple[int, int]:
        """Of the fleet everything is told at first. A sweep counts once it has finished: until then it may write more pages."""
        if stream != COMPLIANCE:
            return int(since.timestamp()), int(until.timestamp())
        sweep, _ = await self._fleet.sweep()
        return 0, sweep.finished if sweep.finished_at and sweep.finished_at <= until else 0

    def rows(self, stream: str, after: int, upto: int) -> AsyncIterator[tuple[int, Row]]:
        return self._of_sweeps(after, upto) if stream == COMPLIANCE else self._of_writes(stream, after, upto)

    async def _of_sweeps(self, after: int, upto: int) -> AsyncIterator[tuple[int, Row]]:
        """All rows stand at the place `upto`: pages come in any order of sweeps. What changed again since then is left for later."""
        if after >= upto:
            return
        async for page in self._fleet.pages_since(after):
            for row in compliance_rows(page, after, upto):
                yield upto, row

    async def _of_writes(self, stream: str, after: int, upto: int) -> AsyncIterator[tuple[int, Row]]:
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

    @property
    def _fleet(self) -> CosmosFleet:
        return CosmosFleet(self.database, self.sealer)

    async def _row(self, stream: str, document: dict[str, object]) -> Row:
        if stream == AUDIT:
            return audit_row(await CosmosAudit(self.database, self.sealer).open(document))
        return rollout_row(await Shelf(self.database, self.sealer, ROLLOUT).decode(document))
