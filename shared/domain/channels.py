"""How chats and services take messages: how fast, and what they make of one that comes twice."""

from datetime import datetime, timedelta

from shared.domain.pace import Limit, Pace, push_back, reserve
from shared.domain.record import Record


class Channel(Record, frozen=True):
    """What is known of a kind of channel."""

    limit: Limit  #: a fifth below the documented one, since messages take longer or shorter on their way
    repeats_show: bool  #: nothing in a message tells it that it was there before


#: Slack: one message a second and channel (docs.slack.dev/apis/web-api/rate-limits), and no id by which it would know a message again
#: (github.com/slackapi/slack-api-specs/issues/10). Teams: four requests a second (learn.microsoft.com, connectors-using), and a
#: Workflows webhook knows no id either.
_CHATS = {
    "slack": Channel(limit=Limit(burst=1, per_second=0.8), repeats_show=True),
    "msteams": Channel(limit=Limit(burst=1, per_second=3.2), repeats_show=True),
}
#: They get the stable id of each message, and can tell a repetition by it. The rate is ours.
_SERVICE = Channel(limit=Limit(burst=1, per_second=10), repeats_show=False)

#: How long a message that is next may stand at the door, which costs an instance's memory; who waits longer waits in the queue.
AT_THE_DOOR = timedelta(seconds=2)
#: Who waited already comes again when the door opens, if that is soon.
_SOON = timedelta(seconds=10)
#: A door is shut so long only when the channel has asked for it.
_SHUT = AT_THE_DOOR + timedelta(seconds=5)
#: Those in the line come a little slower than the door lets in, so that a jam at the door ends.
_LINE_SHARE = 0.9


def channel(kind: str) -> Channel:
    return _CHATS.get(kind, _SERVICE)


class Admission(Record, frozen=True):
    """When a message may be posted, or else come again."""

    at: datetime
    is_in: bool
    is_shut: bool = False  #: the channel lets nobody in for now


def enter(door: Pace, line: Pace, slot: datetime | None, now: datetime, limit: Limit) -> tuple[Pace, Pace, Admission]:
    """A message comes to a channel, with the slot that it waited for, or for the first time (None); door and line after that.

    The door lets in exactly as fast as the channel allows. Messages in a queue come late, and several at once: so the line only
    spreads them, and the door decides.
    """
    opened, (at,) = reserve(door, 1, now, limit)
    shut = at - now > _SHUT
    comes_first = slot is not None or not (line.theoretical_arrival and line.theoretical_arrival > now)
    if comes_first and at - now <= AT_THE_DOOR:
        return opened, line, Admission(at=at, is_in=True)
    if slot is not None and at - now <= _SOON:
        return door, line, Admission(at=at, is_in=False, is_shut=shut)
    pace = Limit(burst=1, per_second=limit.per_second * _LINE_SHARE)
    lined, (place,) = reserve(push_back(line, at, pace), 1, now, pace)
    return door, lined, Admission(at=place, is_in=False, is_shut=shut)
