"""FluxConfigurations that seem to drift are looked at once more before anything is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from shared.domain.configurations import Configuration, cluster_id, configuration_id, is_held
from shared.domain.drift import asked_of
from shared.domain.errors import Upstream
from shared.domain.fleet import Asked
from shared.domain.fleet_changes import Look, Writer
from shared.log import event_logger
from shared.ports import AskedStates, ForeignWrites, Restorations
from shared.services.concurrency import map_bounded

log = event_logger("sluice.fleet")

#: Of how many that drifted in one sweep ARM is asked who wrote them: its bucket for reads holds 250
#: (learn.microsoft.com, request-limits-and-throttling), and others need it too.
_MOST_WRITERS = 50


@dataclass
class Suspects:
    """Of one sweep."""

    asked: AskedStates
    restorations: Restorations
    foreign_writes: ForeignWrites
    writers_left: int = _MOST_WRITERS

    async def make_sure(self, drifted: Sequence[str], look: Look) -> Look:
        """The look with what is asked of these (ARM ids) at this moment, those left out that Sluice is writing, and who wrote them."""
        records = dict(zip(drifted, await map_bounded(self._record, drifted), strict=True))
        busy = {key for key, record in records.items() if asked_of(record) is None or is_held(record, look.now)}
        asked = {key: found for key, record in records.items() if key not in busy and (found := asked_of(record))}
        chosen = list(asked)[: self.writers_left]
        self.writers_left -= len(chosen)
        shown = dict(zip(chosen, await map_bounded(self._last_writer, chosen), strict=True))
        told = dict(zip(asked, await map_bounded(self._told_writer, list(asked)), strict=True))
        writers = {key: _newer(told[key], shown.get(key)) for key in asked}
        known = {key: writer for key, writer in writers.items() if writer and _is_later(writer, asked[key])}
        return replace(look, asked=look.asked | asked, busy=look.busy | busy, writers=look.writers | known)

    async def _record(self, key: str) -> Configuration:
        record, _ = await self.asked.get(cluster_id(key), configuration_id(key))
        return record

    async def _last_writer(self, key: str) -> Writer | None:
        """It is told where it is known; drift is told all the same where it is not."""
        try:
            return await self.restorations.last_writer(key)
        except Upstream as error:
            log.warning("drift.writer-unknown", extra={"error": type(error).__name__, "code": error.code})
            return None

    async def _told_writer(self, key: str) -> Writer | None:
        """As an event told it: whoever it was, even where Sluice has written since."""
        told = await self.foreign_writes.get(key)
        return Writer(by=told.caller, at=told.at) if told and told.caller else None


def _newer(told: Writer | None, shown: Writer | None) -> Writer | None:
    """An event tells a person's sign-in name; Azure's own record tells of a write whose event never came."""
    if told is None or told.at is None or shown is None or shown.at is None:
        return told or shown
    return told if told.at >= shown.at else shown


def _is_later(writer: Writer, asked: Asked) -> bool:
    """Whether it wrote after Sluice did: an older one is not to blame."""
    return writer.at is None or writer.at > asked.applied_at
