"""What is kept to be proven and shown."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.audit import Entry, Link
from shared.domain.log_rows import Mark, Row


class Audit(Protocol):
    """The append-only record of who or what did what."""

    async def append(self, entry: Entry) -> None:
        """Adds an entry to its stream, chained to the one before; the same entry id twice is one entry."""
        ...

    def read(self, stream: str | None = None) -> AsyncIterator[Link]:
        """Every link of a stream, or of all streams one after the other, in order."""
        ...


class LogStreams(Protocol):
    """What Azure Monitor is told, stream by stream, and how far each is."""

    def names(self) -> tuple[str, ...]: ...

    async def span(self, stream: str, since: datetime, until: datetime) -> tuple[int, int]:
        """Where a stream begins of which nothing was told yet, given how far back to look; and how far it had come by `until`."""
        ...

    def rows(self, stream: str, after: int, upto: int) -> AsyncIterator[tuple[int, Row]]:
        """What was written after one place of the stream and up to another, in the order of writing, each row with its place.

        A place is a second since 1970, or the number of a sweep of the fleet.
        """
        ...

    async def mark(self, stream: str) -> tuple[Mark, str]:
        """How far it is, and its ETag; a new one with ETag "" where nothing was told yet."""
        ...

    async def save_mark(self, mark: Mark, etag: str) -> str:
        """The new ETag. Raises Conflict when it was moved since it was read."""
        ...


class LogRows(Protocol):
    """A place for rows, such as Azure Monitor."""

    async def add(self, stream: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Raises Throttled or Unavailable when it may work later, Rejected when it never will."""
        ...
