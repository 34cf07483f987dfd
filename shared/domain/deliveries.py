"""A message on its way to a channel: events that belong together, told once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from shared.domain.announcements import MAX_CLUSTERS, Announcement, holds, join
from shared.domain.errors import NotAllowed
from shared.domain.failures import Failure
from shared.domain.record import Record, digest

#: How long a channel may be down before a message goes to its fallback, or is given up.
GIVE_UP_AFTER = timedelta(hours=24)
_MAX_BACKOFF_SECONDS = 900.0
#: After an attempt without an answer, to a channel that cannot tell a repetition: each may show the message once more, so that there
#: are few of them. With four times the wait after each, at most eight in a day.
_FIRST_UNANSWERED_WAIT_SECONDS = 60.0
#: One document holds them all, and nobody reads so many.
MOST_ANNOUNCEMENTS = 50
#: Each is remembered by its id, so that it is not told again: more would not fit into one document.
MOST_TOLD = 10_000
#: How long a channel may take for one message, in however many calls.
POST_WITHIN = timedelta(seconds=45)
#: How long one attempt has a message to itself: longer than the wait for its turn and its post may take together.
ATTEMPT_LASTS = timedelta(seconds=90)
#: How long it is kept that a message was never delivered. The audit trail keeps it for as long as its own setting says.
KEPT_UNDELIVERED = timedelta(days=90)

#: `handed-over`: the fallback has it. `failed`: nobody was told, and nobody will be unless someone asks.
DeliveryState = Literal["collecting", "sent", "handed-over", "failed"]


class Missed(Record, frozen=True):
    """A channel that did not take a message."""

    provider: str
    since: datetime
    error: str


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
    state: DeliveryState = "collecting"
    attempts: int = 0
    unanswered: int = 0  #: attempts of those that got no answer: the channel may show it already
    announcements: tuple[Announcement, ...] = ()
    taken: tuple[str, ...] = ()  #: ids of those that a channel, which takes one at a time, had taken before it failed
    error: str = ""
    held_until: datetime | None = None  #: an attempt is posting it
    failing_since: datetime | None = None
    again_at: datetime | None = None  #: of the next attempt, once one has failed: whatever message comes before has to wait
    ended_at: datetime | None = None  #: when it was handed over, or given up
    fallback: str = ""  #: the provider that it was handed over to
    missed: tuple[Missed, ...] = ()  #: the channels that did not take it before it came to this one
    resends: int = 0  #: how often people asked for it again


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
    """What the channel may have got under this id stays as it is: with more in it, the next attempt would be taken for a repetition."""
    return delivery.state == "collecting" and not (delivery.held_until or delivery.unanswered or delivery.resends)


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


def take(delivery: Delivery, now: datetime) -> Delivery:
    """The delivery in the hands of one attempt. One that died loses it in the end."""
    return replace(delivery, held_until=now + ATTEMPT_LASTS)


def left(delivery: Delivery) -> tuple[Announcement, ...]:
    """What its channel has not taken yet: another attempt does not repeat the others."""
    return tuple(told for told in delivery.announcements if told.id not in delivery.taken)


def with_taken(delivery: Delivery, taken: frozenset[str]) -> Delivery:
    return replace(delivery, taken=tuple(sorted({*delivery.taken, *taken}))) if taken else delivery


def after_success(delivery: Delivery) -> Delivery:
    return replace(delivery, state="sent", attempts=delivery.attempts + 1, error="", held_until=None)


def wakes_at(delivery: Delivery) -> datetime:
    """Before that nothing is done with it."""
    return max(delivery.due_at, delivery.again_at or delivery.due_at, delivery.held_until or delivery.due_at)


def overdue_at(delivery: Delivery) -> datetime:
    """Of when it was due: quiet hours may have held it for days."""
    return delivery.due_at + GIVE_UP_AFTER


def after_failure(delivery: Delivery, failure: Failure, now: datetime, *, repeats_show: bool = True) -> tuple[Delivery, datetime | None]:
    """The delivery after a failed attempt, and when to try again: as the channel asked, else doubling; None when it is given up.

    `repeats_show`: the channel would show a message that it gets again.
    """
    failed = replace(
        with_taken(delivery, failure.taken),
        attempts=delivery.attempts + 1,
        unanswered=delivery.unanswered + failure.unanswered,
        error=failure.text,
        failing_since=delivery.failing_since or now,
        held_until=None,
    )
    overdue = overdue_at(delivery)
    if failure.final or now >= overdue:
        return failed, None
    again_at = min(now + timedelta(seconds=_wait(failed, failure, repeats_show=repeats_show)), overdue)
    return replace(failed, again_at=again_at), again_at


def _wait(failed: Delivery, failure: Failure, *, repeats_show: bool) -> float:
    if failure.unanswered and repeats_show:
        return float(_FIRST_UNANSWERED_WAIT_SECONDS * 4 ** min(failed.unanswered - 1, 10))
    if failure.retry_after is not None:
        return failure.retry_after
    return float(min(2.0 ** min(failed.attempts, 10), _MAX_BACKOFF_SECONDS))


def give_up(delivery: Delivery, error: str, now: datetime) -> Delivery:
    """Nobody was told."""
    return replace(
        delivery, state="failed", error=error, failing_since=delivery.failing_since or now, ended_at=now, held_until=None, fallback=""
    )


def hand_over(delivery: Delivery, fallback: str, error: str, now: datetime) -> Delivery:
    """Saved before the fallback gets anything, so that whoever comes after a crash asks the same one: see `successor`."""
    return replace(give_up(delivery, error, now), state="handed-over", fallback=fallback)


def may_take(delivery: Delivery, fallback: str) -> bool:
    """Whether it is a channel that this message was not at yet: sluice.yaml may have changed on the way."""
    return fallback not in (delivery.provider, *(missed.provider for missed in delivery.missed))


def successor(handed: Delivery) -> Delivery:
    """The delivery to the fallback: of a handed-over one always the same."""
    at = handed.ended_at or handed.due_at
    missed = Missed(provider=handed.provider, since=handed.failing_since or at, error=handed.error)
    return Delivery(
        id=digest("fallback", handed.channel, handed.id, str(handed.resends), handed.fallback),
        channel=digest("channel", handed.fallback),
        provider=handed.fallback,
        due_at=at,
        created_at=at,
        announcements=left(handed),
        missed=(*handed.missed, missed),
    )


def parcel(delivery: Delivery) -> Parcel:
    """What the channel is to show. A fallback's readers are told first why it comes to them."""
    first, *others = left(delivery)
    if delivery.missed:
        first = replace(first, summary=f"{_why_here(delivery.missed)}\n{first.summary}".strip())
    return Parcel(id=delivery.id, announcements=(first, *others))


def _why_here(missed: tuple[Missed, ...]) -> str:
    """Times to the minute: nobody needs more."""
    each = (f"{one.provider} has not taken this message since {one.since:%Y-%m-%d %H:%M} UTC ({one.error})" for one in missed)
    return f"The channel {', and '.join(each)}, so it comes here."


def resend(delivery: Delivery, now: datetime) -> Delivery:
    """A message that was given up begins anew, with a whole day before it. Raises NotAllowed with the reason for any other."""
    if delivery.state != "failed":
        raise NotAllowed(_WHY_NOT_AGAIN[delivery.state].format(delivery.fallback))
    return replace(
        delivery,
        state="collecting",
        due_at=now,
        attempts=0,
        unanswered=0,
        failing_since=None,
        again_at=None,
        ended_at=None,
        resends=delivery.resends + 1,
    )


_WHY_NOT_AGAIN: dict[DeliveryState, str] = {
    "collecting": "it is on its way, and tried again by itself",
    "sent": "the channel has taken it",
    "handed-over": "it went to {} instead",
}
