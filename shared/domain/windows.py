"""When clusters may be updated: windows that allow it and freezes that forbid it, in their own time zones.

Pure, given the time zone database (zoneinfo: the system's, else the package tzdata's).

A span goes on without a break from the first moment at which the wall clock shows its start, or later, to the first moment at
which it shows its end, or later. So on the day on which the clocks

- go forward, a time that they skip means the moment of the jump, and a span that is skipped whole does not take place;
- go back, a time that comes twice means its first coming (as in RFC 5545, 3.3.5), and a span over the repeated hour is an hour longer.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.errors import Malformed
from shared.domain.record import Record

#: What does not happen within so long does not happen: over a year, so that whatever comes every year is found.
HORIZON = timedelta(days=400)

Span = tuple[datetime, datetime]  #: from the first moment to the one after the last, in UTC
_NEVER: Span = (datetime.max.replace(tzinfo=UTC),) * 2


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
    return (not calendar.windows or _is_on(calendar.windows, now)) and not _is_on(calendar.freezes, now)


def opens_at(calendar: Calendar, now: datetime) -> datetime | None:
    """The first moment, from `now` on, at which a target may start: `now` itself when it may, else in UTC. None: not within HORIZON."""
    if is_open(calendar, now):
        return now
    opens, _ = next(_open_spans(calendar, now), (None, None))
    return opens


def closes_at(calendar: Calendar, now: datetime) -> datetime | None:
    """When open, the first moment, in UTC, at which it no longer is. None when it is not open, or does not close within HORIZON."""
    if not is_open(calendar, now):
        return None
    _, closes = next(_open_spans(calendar, now))
    return closes if closes < now + HORIZON else None


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises Malformed when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also a name that is a folder, or leaves the database
        raise Malformed(f"there is no time zone named {name}") from None


def _is_on(windows: Iterable[Window], now: datetime) -> bool:
    begun = (span for window in windows for span in takewhile(lambda span: span[0] <= now, _spans(window, now)))
    return any(now < end for _, end in begun)


def _open_spans(calendar: Calendar, now: datetime) -> Iterator[Span]:
    """The windows without the freezes, in order, from `now` until HORIZON."""
    freezes = _union(calendar.freezes, now)
    frozen, thawed = next(freezes, _NEVER)
    for opens, closes in _union(calendar.windows, now) if calendar.windows else [(now, now + HORIZON)]:
        start = opens
        while start < closes:
            while thawed <= start:
                frozen, thawed = next(freezes, _NEVER)
            if start < frozen:
                yield start, min(closes, frozen)
            start = thawed  # beyond `closes` where nothing more is frozen before it


def _union(windows: Iterable[Window], now: datetime) -> Iterator[Span]:
    """The spans of all windows from `now` until HORIZON, in order, those that touch or overlap made one."""
    whole: Span | None = None
    for start, end in merge(*(_spans(window, now) for window in windows)):
        begin, finish = max(start, now), min(end, now + HORIZON)
        if begin >= finish:
            continue
        if whole and begin <= whole[1]:
            whole = whole[0], max(whole[1], finish)
        else:
            if whole:
                yield whole
            whole = begin, finish
    if whole:
        yield whole


def _spans(window: Window, now: datetime) -> Iterator[Span]:
    """The spans of a window that may be on at `now` or later, in order. One that the clocks skip is empty: its end is its start."""
    where = zone(window.time_zone)
    if window.first:
        yield first_moment(datetime.fromisoformat(window.first), where), first_moment(datetime.fromisoformat(window.last), where)
        return
    start, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
    overnight = timedelta(days=0 if start < end else 1)
    for day in _days(now.astimezone(where).date(), window.days):
        yield first_moment(datetime.combine(day, start), where), first_moment(datetime.combine(day + overnight, end), where)


def _days(today: date, weekdays: tuple[int, ...]) -> Iterator[date]:
    """From yesterday, whose span may be on over midnight, until HORIZON."""
    days = (today + timedelta(days=count) for count in range(-1, HORIZON.days + 2))
    return (day for day in days if day.weekday() in weekdays)


def first_moment(wall: datetime, where: ZoneInfo) -> datetime:
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
