"""What senders have told."""

from datetime import datetime
from typing import Protocol

from shared.domain.buckets import ObjectEvent
from shared.domain.changes import Change, Unplanned
from shared.domain.checks import CheckResult
from shared.domain.gates import CheckState
from shared.domain.ledger import Head


class Changes(Protocol):
    """Deliveries, and the head of every ref."""

    async def record(self, change: Change) -> bool:
        """Stores a change once; False when it was there already."""
        ...

    async def get(self, source: str, change_id: str) -> Change | None: ...

    async def mark_unplanned(self, change: Change, *, due: datetime | None = None) -> None:
        """Puts a change on the list of those that wait to be planned, from `due` on (default: since it was received).

        Done before it is recorded, so that none is ever missed.
        """
        ...

    async def unmark_unplanned(self, change_id: str) -> None: ...

    async def unplanned(self) -> list[Unplanned]: ...

    async def head(self, source: str, ref: str) -> tuple[Head, str]:
        """The head of a ref and its ETag; a new one with ETag "" where there is none."""
        ...

    async def save_head(self, head: Head, etag: str) -> None:
        """Raises Conflict when the head was moved since it was read."""
        ...

    async def heads_at(self, source: str, revision: str) -> list[Head]:
        """The refs of a source that are at this revision now."""
        ...


class Checks(Protocol):
    """What CI systems say of revisions."""

    async def record(self, result: CheckResult) -> bool:
        """Keeps it where it is the newest of its check; False when it changed nothing."""
        ...

    async def of(self, source: str, revision: str) -> dict[str, CheckState]:
        """The state of every check of a revision, by name."""
        ...


class ObjectEvents(Protocol):
    """The last event of each object in a bucket."""

    async def advance(self, source: str, event: ObjectEvent) -> bool:
        """Keeps it where it is the last of its object; False where a later one is known."""
        ...
