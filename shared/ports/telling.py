"""Messages and reports on their way to people."""

from typing import Protocol

from shared.domain.commit_reports import CommitReport
from shared.domain.conversations import Conversation
from shared.domain.deliveries import Delivery


class Deliveries(Protocol):
    """Grouped messages on their way to a channel."""

    async def get(self, channel: str, delivery_id: str) -> tuple[Delivery, str] | None: ...

    async def create(self, delivery: Delivery) -> bool: ...

    async def save(self, delivery: Delivery, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...


class CommitReports(Protocol):
    """What was last said of each commit."""

    async def get(self, report_id: str) -> tuple[CommitReport, str] | None: ...

    async def save(self, report: CommitReport, etag: str) -> str:
        """Creates where `etag` is ""; the new ETag. Raises Conflict when it changed since it was read."""
        ...


class Conversations(Protocol):
    """What each provider shows of each rollout."""

    async def get(self, conversation_id: str) -> tuple[Conversation, str] | None: ...

    async def save(self, conversation: Conversation, etag: str) -> str:
        """Creates where `etag` is ""; the new ETag. Raises Conflict when it changed since it was read."""
        ...
