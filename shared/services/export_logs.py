"""Azure Monitor is told what was written since the last time: audit records, and rollouts that moved."""

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
        upto = int((self.clock() - _SETTLED).timestamp())
        after = mark.upto or int((self.clock() - _FIRST_LOOK).timestamp())
        waiting: list[Row] = []
        second = after
        async for at, row in self.streams.rows(stream, after, upto):
            # Only whole seconds are told, so that the mark can stand between two of them.
            if at != second and len(waiting) >= _ENOUGH:
                etag = await self._tell(stream, waiting, replace(mark, upto=second), etag)
                waiting = []
            second = at
            waiting.append(row)
        if waiting:
            await self._tell(stream, waiting, replace(mark, upto=second), etag)

    async def _tell(self, stream: str, waiting: list[Row], mark: Mark, etag: str) -> str:
        for call in in_calls(waiting):
            await self.rows.add(stream, call)
        log.info("logs.exported", extra={"stream": stream, "rows": len(waiting)})
        return await self.streams.save_mark(mark, etag)
