"""A message about a rollout that is kept up to date, and the thread below it: what stands there, and whose turn it is to write."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.announcements import Announcement
from shared.domain.record import Record, digest

#: How long one attempt has a conversation to itself: longer than its calls may take.
TURN_LASTS = timedelta(seconds=90)
#: While only counts move, the head is edited so often: Slack takes about 50 edits a minute of all rollouts together.
COUNTS_EVERY = timedelta(seconds=10)
#: How many ids of what was told are kept: far more than come twice.
_MOST_TOLD = 300
_MAX_BACKOFF_SECONDS = 900.0
#: How long a head may be behind before it is left as it is; what is told next brings it up to date.
GIVE_UP_AFTER = timedelta(hours=24)


class Place(Record, frozen=True):
    """Where a message stands, in the channel's own ids."""

    channel: str
    ts: str


class Conversation(Record, frozen=True):
    """All that one provider shows of one rollout."""

    id: str
    head: Place | None = None
    opening_since: datetime | None = None  #: someone is posting the head, or died over it
    shown: str = ""  #: fingerprint of what the head shows
    milestone: str = ""  #: the part of it for which nobody should wait
    shown_at: datetime | None = None
    told: tuple[str, ...] = ()  #: ids of announcements that stand in head or thread, oldest first
    attempts: int = 0  #: failed edits since one succeeded
    failing_since: datetime | None = None
    held_until: datetime | None = None  #: an attempt is writing
    wake_at: datetime | None = None  #: a message for this moment is in the queue, to edit the head


def conversation_id(provider: str, subject: str) -> str:
    return digest("conversation", provider, subject)


def take(conversation: Conversation, now: datetime) -> Conversation | None:
    """The conversation in the hands of one attempt; None while another one has it. An attempt that died loses it in the end.

    Where there is no head yet, it is kept that one may be about to stand there.
    """
    if conversation.held_until and now < conversation.held_until:
        return None
    opening_since = None if conversation.head else conversation.opening_since or now
    return replace(conversation, held_until=now + TURN_LASTS, opening_since=opening_since)


def due_at(conversation: Conversation, shown: str, milestone: str, now: datetime) -> datetime | None:
    """When the head is to be edited, or made anew where it is lost; None where it shows what it should."""
    if conversation.head is None:
        return now if conversation.told else None
    if shown == conversation.shown:
        return None
    if milestone != conversation.milestone or conversation.shown_at is None:
        return now
    return max(now, conversation.shown_at + COUNTS_EVERY)


def must_wake(conversation: Conversation, again_at: datetime, now: datetime) -> bool:
    """Whether a message is needed to look again: one that is on its way for an earlier moment will do."""
    return not (conversation.wake_at and now < conversation.wake_at <= again_at)


def is_resting(conversation: Conversation, now: datetime) -> bool:
    """Whether the channel is not to be asked before `wake_at`: it is down, or has said so."""
    return conversation.failing_since is not None and conversation.wake_at is not None and now < conversation.wake_at


def opened(conversation: Conversation, head: Place, shown: str, milestone: str, now: datetime) -> Conversation:
    return edited(replace(conversation, head=head, opening_since=None), shown, milestone, now)


def edited(conversation: Conversation, shown: str, milestone: str, now: datetime) -> Conversation:
    return replace(conversation, shown=shown, milestone=milestone, shown_at=now, attempts=0, failing_since=None)


def lost(conversation: Conversation) -> Conversation:
    """Somebody has deleted the head."""
    return replace(conversation, head=None, shown="", milestone="", shown_at=None)


def found(conversation: Conversation, head: Place) -> Conversation:
    """An attempt that died had posted it. What it shows is not known."""
    return replace(conversation, head=head, opening_since=None)


def not_opened(conversation: Conversation) -> Conversation:
    """The channel said no, so there is no head that nobody knows of."""
    return replace(conversation, opening_since=None)


def untold(conversation: Conversation, announcements: Sequence[Announcement]) -> tuple[Announcement, ...]:
    return tuple(each for each in announcements if each.id not in conversation.told)


def after_telling(conversation: Conversation, announcements: Sequence[Announcement]) -> Conversation:
    ids = [name for each in announcements for name in (each.id, *each.others) if name not in conversation.told]
    return replace(conversation, told=(*conversation.told, *ids)[-_MOST_TOLD:])


def after_failed_edit(conversation: Conversation, retry_after: float | None, now: datetime) -> tuple[Conversation, datetime | None]:
    """The conversation, and when to try again: as the channel asked, else doubling; None when the head is left as it is."""
    since, attempts = conversation.failing_since or now, conversation.attempts + 1
    if now - since > GIVE_UP_AFTER:
        return replace(conversation, attempts=0, failing_since=None), None
    delay = retry_after if retry_after is not None else min(2.0 ** min(attempts, 10), _MAX_BACKOFF_SECONDS)
    return replace(conversation, attempts=attempts, failing_since=since), now + timedelta(seconds=delay)


def released(conversation: Conversation) -> Conversation:
    return replace(conversation, held_until=None)
