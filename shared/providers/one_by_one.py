"""Channels that take one announcement at a time."""

from collections.abc import Awaitable, Callable, Sequence

from shared.domain.announcements import Announcement
from shared.domain.errors import Rejected, Upstream

_GONE = "410"


async def one_by_one(announcements: Sequence[Announcement], send: Callable[[Announcement], Awaitable[None]]) -> None:
    """Sends each, in order. One that is refused does not hold up the others; a channel that is down, or gone, is left alone.

    Raises what `send` raises, with the ids of those that were taken.
    """
    taken: set[str] = set()
    refused: Rejected | None = None
    for announcement in announcements:
        try:
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
