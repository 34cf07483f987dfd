"""A message on its way to a channel: events that belong together, told once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from shared.domain.announcements import MAX_CLUSTERS, Announcement, holds, join
from shared.domain.record import Record

#: How long a channel may be down before a message is given up.
GIVE_UP_AFTER = timedelta(hours=24)
_MAX_BACKOFF_SECONDS = 900.0
#: One document holds them all, and nobody reads so many.
MOST_ANNOUNCEMENTS = 50
#: Each is remembered by its id, so that it is not told again: more would not fit into one document.
MOST_TOLD = 10_000
#: How long one attempt has a message to itself: longer than a channel may take to answer.
ATTEMPT_LASTS = timedelta(seconds=30)


class Limits(Record, frozen=True):
    """What one message holds."""

    announcements: int = MOST_ANNOUNCEMENTS
    clusters: int = MAX_CLUSTERS  #: that are named in each
    by_name: bool = False  #: every cluster is named, in as many announcements as it takes


_USUAL = Limits()


class Delivery(Record, frozen=True):
    """One message to one provider."""

    id: str
    channel: str  #: digest of the provider's name
    provider: str
    due_at: datetime  #: when the grouping window closes
    created_at: datetime
    state: Literal["collecting", "sent", "failed"] = "collecting"
    attempts: int = 0
    announcements: tuple[Announcement, ...] = ()
    taken: tuple[str, ...] = ()  #: ids of those that a channel, which takes one at a time, had taken before it failed
    error: str = ""
    held_until: datetime | None = None  #: an attempt is posting it


class Parcel(Record, frozen=True):
    """What a channel is to show as one message."""

    id: str  #: stable: another attempt carries the same
    announcements: tuple[Announcement, ...]  #: at least one, oldest first


def add(delivery: Delivery, announcement: Announcement, limits: Limits = _USUAL) -> Delivery | None:
    """The delivery with one more announcement; None when it is closed, on its way or full.

    The same announcement twice is one. What tells the same of many clusters is one, however many.
    """
    if not _is_open(delivery):
        return None
    return delivery if has(delivery, announcement.id) else _put(delivery, announcement, limits)


def gather(delivery: Delivery, announcements: Iterable[Announcement], limits: Limits = _USUAL) -> tuple[Delivery, list[Announcement]]:
    """The delivery with those that it takes, and those that the next one must take: neither in it, nor told by it before."""
    known, rest = {each for told in delivery.announcements for each in (told.id, *told.others)}, []
    for announcement in announcements:
        if announcement.id in known:
            continue
        put = _put(delivery, announcement, limits) if _is_open(delivery) else None
        if put is None:
            rest.append(announcement)
        else:
            delivery = put
            known.add(announcement.id)
    return delivery, rest


def is_full(delivery: Delivery, limits: Limits) -> bool:
    """Whether waiting for its time would bring nothing more."""
    return _is_open(delivery) and len(delivery.announcements) >= limits.announcements


def has(delivery: Delivery, announcement_id: str) -> bool:
    return any(holds(known, announcement_id) for known in delivery.announcements)


def _is_open(delivery: Delivery) -> bool:
    return delivery.state == "collecting" and not delivery.held_until


def _put(delivery: Delivery, announcement: Announcement, limits: Limits) -> Delivery | None:
    announcements = _with(delivery.announcements, announcement, limits)
    if len(announcements) > limits.announcements or _told(delivery) >= MOST_TOLD:
        return None
    return replace(delivery, announcements=announcements)


def _told(delivery: Delivery) -> int:
    return sum(1 + len(known.others) for known in delivery.announcements)


def _with(announcements: tuple[Announcement, ...], new: Announcement, limits: Limits) -> tuple[Announcement, ...]:
    for index, known in enumerate(announcements):
        joined = join(known, new, most=limits.clusters, by_name=limits.by_name)
        if joined:
            return (*announcements[:index], joined, *announcements[index + 1 :])
    return (*announcements, new)


def take(delivery: Delivery, now: datetime) -> Delivery | None:
    """The delivery in the hands of one attempt; None while another one has it. An attempt that died loses it in the end."""
    if delivery.held_until and now < delivery.held_until:
        return None
    return replace(delivery, held_until=now + ATTEMPT_LASTS)


def left(delivery: Delivery) -> tuple[Announcement, ...]:
    """What its channel has not taken yet: another attempt does not repeat the others."""
    return tuple(told for told in delivery.announcements if told.id not in delivery.taken)


def with_taken(delivery: Delivery, taken: frozenset[str]) -> Delivery:
    return replace(delivery, taken=tuple(sorted({*delivery.taken, *taken}))) if taken else delivery


def after_success(delivery: Delivery) -> Delivery:
    return replace(delivery, state="sent", attempts=delivery.attempts + 1, error="", held_until=None)


def after_failure(delivery: Delivery, error: str, retry_after: float | None, now: datetime) -> tuple[Delivery, datetime | None]:
    """The delivery after a failed attempt, and when to try again: as the channel asked, else doubling; None when it is given up."""
    attempts = delivery.attempts + 1
    delay = retry_after if retry_after is not None else min(2.0 ** min(attempts, 10), _MAX_BACKOFF_SECONDS)
    if now - max(delivery.created_at, delivery.due_at) > GIVE_UP_AFTER:  # quiet hours may have held it for days
        return replace(delivery, attempts=attempts, state="failed", error=error, held_until=None), None
    return replace(delivery, attempts=attempts, error=error, held_until=None), now + timedelta(seconds=delay)
