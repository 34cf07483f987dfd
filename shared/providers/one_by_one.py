"""Channels that take one announcement at a time."""

import time
from collections.abc import Awaitable, Callable, Sequence

from shared.domain.announcements import Announcement
from shared.domain.errors import Rejected, Throttled, Upstream

_GONE = "410"
#: With a last request of 15 seconds well within the time that an attempt has its message to itself (domain/deliveries.py).
TURN_SECONDS = 12.0


async def one_by_one(
    announcements: Sequence[Announcement], send: Callable[[Announcement], Awaitable[None]], *, now: Callable[[], float] = time.monotonic
) -> None:
    """Sends each, in order. One that is refused does not hold up the others; a channel that is down, or gone, is left alone.

    Raises what `send` raises, with the ids of those that were taken; Throttled where a slow channel leaves no time for all of them.
    """
    taken: set[str] = set()
    refused: Rejected | None = None
    ends = now() + TURN_SECONDS
    for announcement in announcements:
        try:
            if taken and now() > ends:
                raise Throttled("the channel is slow: the rest goes with the next attempt", code="Slow", retry_after=0)
            await send(announcement)
        except Rejected as error:
            refused = error
            if error.code == _GONE:
                break
        except Upstream as error:
            error.taken = frozenset(taken)
            raise
        else:
            taken.add(announcement.id)
    if refused is not None:
        refused.taken = frozenset(taken)
        raise refused
