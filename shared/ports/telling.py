"""Messages and reports on their way to people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.commit_reports import CommitReport
from shared.domain.conversations import Conversation
from shared.domain.deliveries import Delivery, DeliveryState
from shared.domain.periods import Marks
from shared.domain.trend import Point


class Deliveries(Protocol):
    """Grouped messages on their way to a channel."""

    async def get(self, channel: str, delivery_id: str) -> tuple[Delivery, str] | None: ...

    async def create(self, delivery: Delivery) -> bool: ...

    async def save(self, delivery: Delivery, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...

    async def newest(self, state: DeliveryState, limit: int, continuation: str) -> tuple[list[Delivery], str | None]:
        """Those in a state by their creation, newest first, a page; "" for the first, and what asks for the next."""
        ...


class CommitReports(Protocol):
    """What was last said of each commit."""

    async def get(self, report_id: str) -> tuple[CommitReport, str] | None: ...

    async def save(self, report: CommitReport, etag: str) -> str:
        """Creates where `etag` is ""; the new ETag. Raises Conflict when it changed since it was read."""
        ...


class GivenUp(Protocol):
    """Messages that reached nobody."""

    async def count_failed(self) -> int:
        """How many of those that are kept: the ones of the last seven days."""
        ...


class DigestMarks(Protocol):
    """How far each digest is."""

    async def get(self) -> tuple[Marks, str]:
        """An empty one with ETag "" where there is none."""
        ...

    async def save(self, marks: Marks, etag: str) -> None:
        """Raises Conflict when it changed since it was read."""
        ...


class TrendPainter(Protocol):
    """Makes a picture of how many fluxConfigurations were compliant."""

    def __call__(self, points: Sequence[Point], start: datetime, end: datetime, zone: str) -> bytes:
        """A PNG of a few kilobytes, for light and dark backgrounds; days as people in the time zone `zone` count them."""
        ...


class Conversations(Protocol):
    """What each provider shows of each rollout."""

    async def get(self, conversation_id: str) -> tuple[Conversation, str] | None: ...

    async def save(self, conversation: Conversation, etag: str) -> str:
        """Creates where `etag` is ""; the new ETag. Raises Conflict when it changed since it was read."""
        ...
