"""Days and weeks that end at a time on a wall clock, and which of them nobody has been told of yet. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import takewhile

from shared.domain.record import Record
from shared.domain.windows import first_moment, zone


class Schedule(Record, frozen=True):
    """Every day, or every week on `weekday` (0 = Monday), at `at` ("HH:MM") on the wall clock of `time_zone`.

    A time that the clocks skip is the moment of the jump, and one that comes twice its first coming, as in `windows`.
    """

    at: str
    time_zone: str
    weekday: int | None = None


class Period(Record, frozen=True):
    """From one moment of a schedule to the next, both in UTC. `id` names the day, or the week (ISO 8601), in which it ends."""

    id: str
    start: datetime
    end: datetime


class Mark(Record, frozen=True):
    """Since when a digest is configured, and the newest period of which it told."""

    since: datetime
    period: str = ""  #: id; "" = none yet
    until: datetime | None = None  #: the end of that period


class Marks(Record, frozen=True):
    """All digests, by name."""

    marks: dict[str, Mark] = {}


def last_period(schedule: Schedule, now: datetime) -> Period:
    """The newest that has ended."""
    endings = _backwards(schedule, now)
    day, end = next((day, moment) for day, moment in endings if moment <= now)
    start = next(moment for _, moment in endings if moment < end)
    return Period(id=_name(schedule, day), start=start, end=end)


def next_end(schedule: Schedule, now: datetime) -> datetime:
    """When the period that is running ends."""
    *_, nearest = takewhile(lambda moment: moment > now, (moment for _, moment in _backwards(schedule, now)))
    return nearest


def due(schedule: Schedule, mark: Mark, now: datetime) -> Period | None:
    """The period to tell of now; None where that is done, or it ended before the digest was configured.

    Only ever the newest: after an outage nobody wants a digest of each day of it. A day or week is told once, also where `at`,
    `weekday` or the zone is changed in it.
    """
    period = last_period(schedule, now)
    if period.end <= max(mark.since, mark.until or mark.since) or period.id == mark.period:
        return None
    return period


def followed(marks: Marks, names: Iterable[str], now: datetime) -> Marks:
    """With a mark for each of these names, and none for others: a digest that is taken out and put back begins anew."""
    return Marks(marks={name: marks.marks.get(name) or Mark(since=now) for name in names})


def told(mark: Mark, period: Period) -> Mark:
    return Mark(since=mark.since, period=period.id, until=period.end)


def _backwards(schedule: Schedule, now: datetime) -> Iterator[tuple[date, datetime]]:
    """The moments of a schedule with their days, the newest first, beginning with one that lies ahead."""
    where, at = zone(schedule.time_zone), time.fromisoformat(schedule.at)
    step = timedelta(days=1 if schedule.weekday is None else 7)
    # Two days on: a clock's day may be skipped whole, as on Samoa's 30 December 2011.
    day = now.astimezone(where).date() + timedelta(days=2)
    if schedule.weekday is not None:
        day += timedelta(days=(schedule.weekday - day.weekday()) % 7)
    while True:
        yield day, first_moment(datetime.combine(day, at), where)
        day -= step


def _name(schedule: Schedule, day: date) -> str:
    if schedule.weekday is None:
        return day.isoformat()
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
