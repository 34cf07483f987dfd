"""Messages on their way."""

from datetime import datetime
from typing import Protocol

from shared.domain.record import Record


class Queue(Protocol):
    """The Storage queues between the functions."""

    async def send(self, queue: str, message: Record, *, not_before: datetime | None = None) -> None:
        """Sends one message; with `not_before` it is invisible until then (rounded up to a second, 7 days at most)."""
        ...

    async def send_text(self, queue: str, text: str, *, not_before: datetime | None = None) -> None:
        """The same for a message that is text already, whatever it holds."""
        ...
