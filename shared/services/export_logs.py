"""Azure Monitor is told what was written since the last time: audit records, rollouts that moved, what changed in the fleet."""

from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from shared.domain.clock import Clock
from shared.domain.log_rows import Mark, Row, in_calls
from shared.log import event_logger
from shared.ports import LogRows, LogStreams

log = event_logger("sluice.logs")

#: A write that is under way is dated before it can be read: what is younger waits for the next time.
_SETTLED = timedelta(seconds=30)
#: How far back the first look goes.
_FIRST_LOOK = timedelta(days=1)
#: Rows that are told before the mark is moved. A failure between the two tells them twice; their ids make that visible.
_ENOUGH = 2_000
#: Rows that are kept in memory. A first sweep of a large fleet is tens of thousands of rows at one place: they are told in parts.
_MOST = 10_000


@dataclass(frozen=True)
class ExportLogs:
    """The use case behind `export_logs`: one timer, so one instance at a time (learn.microsoft.com, timer trigger: singleton)."""

    streams: LogStreams
    rows: LogRows
    clock: Clock

    async def __call__(self) -> None:
        """Raises Throttled, Unavailable or Rejected; the marks stand where they were, and the next run tells the rest."""
        for stream in self.streams.names():
            await self._export(stream)

    async def _export(self, stream: str) -> None:
        mark, etag = await self.streams.mark(stream)
        now = self.clock()
        begin, upto = await self.streams.span(stream, now - _FIRST_LOOK, now - _SETTLED)
        place = mark.upto or begin
        waiting: list[Row] = []
        async for at, row in self.streams.rows(stream, place, upto):
            # The mark stands between two places only.
            if at != place and len(waiting) >= _ENOUGH:
                etag = await self._tell(stream, waiting, replace(mark, upto=place), etag)
                waiting = []
            elif len(waiting) >= _MOST:
                await self._add(stream, waiting)
                waiting = []
            place = at
            waiting.append(row)
        if waiting:
            await self._tell(stream, waiting, replace(mark, upto=place), etag)

    async def _tell(self, stream: str, waiting: list[Row], mark: Mark, etag: str) -> str:
        await self._add(stream, waiting)
        return await self.streams.save_mark(mark, etag)

    async def _add(self, stream: str, waiting: list[Row]) -> None:
        for call in in_calls(waiting):
            await self.rows.add(stream, call)
        log.info("logs.exported", extra={"stream": stream, "rows": len(waiting)})
