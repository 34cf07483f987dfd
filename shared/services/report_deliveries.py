"""What people ask about messages: what was never delivered, and what waits for its channel."""

from dataclasses import dataclass
from typing import get_args

from shared.domain.deliveries import Delivery, DeliveryState
from shared.domain.errors import Refused
from shared.ports import Deliveries

MAX_PAGE = 100
STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)
_LONGEST = 8 * 1024


@dataclass(frozen=True)
class ReportDeliveries:
    """The use case behind GET /api/notifications."""

    deliveries: Deliveries

    async def __call__(self, state: str, *, limit: int, continuation: str) -> dict[str, object]:
        """Newest first, a page; "" for the state means failed. Raises Refused 400."""
        wanted = next((each for each in STATES if each == (state or "failed")), None)
        if wanted is None:
            raise Refused(400, f"state must be one of {', '.join(STATES)}", explain=True)
        if len(continuation) > _LONGEST or not continuation.isprintable():
            raise Refused(400, "continuation must be what the page before gave", explain=True)
        found, more = await self.deliveries.newest(wanted, min(max(limit, 1), MAX_PAGE), continuation)
        return {"notifications": [shown(delivery) for delivery in found], "continuation": more}


def shown(delivery: Delivery) -> dict[str, object]:
    """Titles come from outside in part: whoever shows them escapes them."""
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "provider": delivery.provider,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "createdAt": delivery.created_at.isoformat(),
        "dueAt": delivery.due_at.isoformat(),
        "error": delivery.error,
        "titles": [announcement.title for announcement in delivery.announcements],
        "fallback": delivery.fallback or None,
    }
