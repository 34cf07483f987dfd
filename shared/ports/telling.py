"""Messages and reports on their way to people."""

from typing import Protocol

from shared.domain.commit_reports import CommitReport
from shared.domain.deliveries import Delivery, DeliveryState


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
