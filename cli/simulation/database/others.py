"""The smaller containers: changes, configurations, pace, results of checks; and an audit trail that only counts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from cli.simulation.database.table import Table
from cli.simulation.model import READ_SECONDS, WRITE_SECONDS
from shared.domain.audit import Entry, Link
from shared.domain.changes import Change, Unplanned
from shared.domain.checks import CheckResult
from shared.domain.configurations import Configuration
from shared.domain.gates import CheckState
from shared.domain.ledger import Head, head_id
from shared.domain.pace import Pace


class MemoryChanges:
    """Implements ports.Changes for the one push of a simulation: nothing ever waits to be planned again."""

    def __init__(self) -> None:
        self._changes: Table[Change] = Table()
        self._heads: Table[Head] = Table()

    async def record(self, change: Change) -> bool:
        await asyncio.sleep(WRITE_SECONDS)
        is_new = change.id not in self._changes
        self._changes.put(change.id, change)
        return is_new

    async def get(self, source: str, change_id: str) -> Change | None:
        await asyncio.sleep(READ_SECONDS)
        found = self._changes.get(change_id)
        return found[0] if found else None

    async def mark_unplanned(self, change: Change, *, due: datetime | None = None) -> None:
        await asyncio.sleep(WRITE_SECONDS)

    async def unmark_unplanned(self, change_id: str) -> None:
        await asyncio.sleep(WRITE_SECONDS)

    async def unplanned(self) -> list[Unplanned]:
        await asyncio.sleep(READ_SECONDS)
        return []

    async def head(self, source: str, ref: str) -> tuple[Head, str]:
        await asyncio.sleep(READ_SECONDS)
        return self._heads.get(source + head_id(ref)) or (Head(id=head_id(ref), source=source), "")

    async def save_head(self, head: Head, etag: str) -> None:
        await asyncio.sleep(WRITE_SECONDS)
        self._heads.save(head.source + head.id, head, etag)

    async def heads_at(self, source: str, revision: str) -> list[Head]:
        await asyncio.sleep(READ_SECONDS)
        return [head for head in self._heads if head.source == source and head.revision == revision]


class MemoryConfigurations:
    """Implements ports.Configurations."""

    def __init__(self) -> None:
        self._configurations: Table[Configuration] = Table()

    async def get(self, cluster_id: str, configuration_id: str) -> tuple[Configuration, str]:
        await asyncio.sleep(READ_SECONDS)
        new = Configuration(id=configuration_id, cluster_id=cluster_id, subscription="")
        return self._configurations.get(cluster_id + configuration_id) or (new, "")

    async def save(self, configuration: Configuration, etag: str) -> str:
        await asyncio.sleep(WRITE_SECONDS)
        return self._configurations.save(configuration.cluster_id + configuration.id, configuration, etag)


class MemoryPace:
    """Implements ports.PaceStore."""

    def __init__(self) -> None:
        self._paces: Table[Pace] = Table()

    async def get(self, pace_id: str) -> tuple[Pace, str]:
        await asyncio.sleep(READ_SECONDS)
        return self._paces.get(pace_id) or (Pace(id=pace_id), "")

    async def save(self, pace: Pace, etag: str) -> None:
        await asyncio.sleep(WRITE_SECONDS)
        self._paces.save(pace.id, pace, etag)


class MemoryChecks:
    """Implements ports.Checks."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], dict[str, CheckState]] = {}

    async def record(self, result: CheckResult) -> bool:
        await asyncio.sleep(WRITE_SECONDS)
        self._states.setdefault((result.source, result.revision), {})[result.name] = result.state
        return True

    async def of(self, source: str, revision: str) -> dict[str, CheckState]:
        await asyncio.sleep(READ_SECONDS)
        return self._states.get((source, revision), {})


class CountedAudit:
    """Implements ports.Audit, and keeps no more than how many entries there were."""

    def __init__(self) -> None:
        self.entries = 0

    async def append(self, entry: Entry) -> None:
        await asyncio.sleep(READ_SECONDS + WRITE_SECONDS)  # the head of the stream is read, then both are written in one batch
        self.entries += 1

    async def read(self, stream: str | None = None) -> AsyncIterator[Link]:
        for link in list[Link]():
            yield link
