"""When clusters may be updated: windows that allow it and freezes that forbid it, in their own time zones.

Pure, given the time zone database (zoneinfo: the system's, else the package tzdata's).

A span goes on without a break from the first moment at which the wall clock shows its start, or later, to the first moment at
which it shows its end, or later. So on the day on which the clocks

- go forward, a time that they skip means the moment of the jump, and a span that is skipped whole does not take place;
- go back, a time that comes twice means its first coming (as in RFC 5545, 3.3.5), and a span over the repeated hour is an hour longer.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.errors import Malformed
from shared.domain.record import Record

#: What does not happen within so long does not happen: over a year, so that whatever comes every year is found.
HORIZON = timedelta(days=400)
#: Days in which a weekly span begins at least once, if it ever does: one that is skipped by the clocks comes again in a week.
_DAYS_AHEAD = 15

Span = tuple[datetime, datetime]  #: from the first moment to the one after the last, in UTC


class Window(Record, frozen=True):
    """A span of time that comes again every week, or once.

    Weekly: `days` (0 = Monday) from `start` to `end`, "HH:MM" on the wall clock of `time_zone`; an end that is not after the start
    is on the next day. Once: `first` and `last`, "YYYY-MM-DDTHH:MM" on that wall clock; `days`, `start` and `end` are then empty.
    """

    time_zone: str  #: IANA name
    days: tuple[int, ...] = ()
    start: str = ""
    end: str = ""
    first: str = ""
    last: str = ""
    name: str = ""  #: shown to people


class Calendar(Record, frozen=True):
    """When a target may start: in any of `windows` (always, where there are none), and in none of `freezes`."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Window, ...] = ()


def is_open(calendar: Calendar, now: datetime) -> bool:
    """Whether a target may start now (aware)."""
    return (not calendar.windows or _end(calendar.windows, now) is not None) and _end(calendar.freezes, now) is None


def opens_at(calendar: Calendar, now: datetime) -> datetime | None:
    """The first moment, from `now` on, at which a target may start: `now` itself when it may, else in UTC. None: not within HORIZON."""
    moment: datetime | None = now
    while moment is not None and moment <= now + HORIZON:
        thawed = _end(calendar.freezes, moment)
        if thawed is not None:
            moment = thawed
        elif not calendar.windows or _end(calendar.windows, moment) is not None:
            return moment
        else:
            moment = _next_start(calendar.windows, moment)
    return None


def closes_at(calendar: Calendar, now: datetime) -> datetime | None:
    """When open, the first moment, in UTC, at which it no longer is. None when it is not open, or does not close within HORIZON."""
    if not is_open(calendar, now):
        return None
    latest = now + HORIZON
    frozen = _next_start(calendar.freezes, now)
    limit = min(frozen, latest) if frozen else latest
    closed = _without_a_break(calendar.windows, now, limit) if calendar.windows else limit
    return closed if closed < latest else None


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises Malformed when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also a name that is a folder, or leaves the database
        raise Malformed(f"there is no time zone named {name}") from None


def _without_a_break(windows: Iterable[Window], now: datetime, limit: datetime) -> datetime:
    """Until when, at most `limit`, one window follows upon the other."""
    moment = now
    while moment < limit and (end := _end(windows, moment)) is not None:
        moment = end
    return min(moment, limit)


def _end(windows: Iterable[Window], now: datetime) -> datetime | None:
    """The latest end of the spans that `now` is in, or None when it is in none."""
    begun = (span for window in windows for span in takewhile(lambda span: span[0] <= now, _spans(window, now)))
    return max((end for _, end in begun if now < end), default=None)


def _next_start(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the first span begins that is still to come, or None when none does."""
    starts = (next((start for start, end in _spans(window, now) if now < start < end), None) for window in windows)
    return min((start for start in starts if start is not None), default=None)


def _spans(window: Window, now: datetime) -> Iterator[Span]:
    """The spans that may be on at `now`, or begin next, in order. One that the clocks skip is empty: its end is its start."""
    where = zone(window.time_zone)
    if window.first:
        yield _moment(datetime.fromisoformat(window.first), where), _moment(datetime.fromisoformat(window.last), where)
        return  # it comes once
    start, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
    overnight = timedelta(days=0 if start < end else 1)
    # The day before, for a span over midnight.
    for day in _days(now.astimezone(where).date() - timedelta(days=1), window.days):
        yield _moment(datetime.combine(day, start), where), _moment(datetime.combine(day + overnight, end), where)


def _days(first: date, weekdays: tuple[int, ...]) -> Iterator[date]:
    ahead = (first + timedelta(days=count) for count in range(_DAYS_AHEAD + 2))
    return (day for day in ahead if day.weekday() in weekdays)


def _moment(wall: datetime, where: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which the wall clock shows `wall`, or later."""
    after = wall.replace(tzinfo=where).astimezone(UTC)
    if after.astimezone(where).replace(tzinfo=None) == wall:
        return after
    # Skipped. The jump lies between the readings with the offset after it and with the one before it (PEP 495), at a whole second.
    before = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    jump = after.astimezone(where).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (before, middle) if middle.astimezone(where).utcoffset() == jump else (middle, after)
    return after
