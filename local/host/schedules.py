"""Timer schedules: NCRONTAB expressions and time spans.

NCRONTAB ({second} {minute} {hour} {day} {month} {day of week}) is not cron: where both the day of the month and the day
of the week are limited, both must fit (in cron one is enough). Source: github.com/atifaziz/NCrontab.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

from local.host.errors import HostError
from local.host.settings import parse_time_span

_FIELD: Final = re.compile(r"[0-9A-Za-z*,/-]+")
_MINUTE: Final = timedelta(minutes=1)


class Schedule(Protocol):
    """When a timer is due. All moments are aware."""

    def next_after(self, moment: datetime) -> datetime: ...


@dataclass(frozen=True)
class ConstantSchedule:
    """Every `interval`, counted from the last time."""

    interval: timedelta

    def next_after(self, moment: datetime) -> datetime:
        return moment + self.interval


@dataclass(frozen=True)
class CronSchedule:
    """An NCRONTAB expression, read in `zone`. Five fields have no seconds."""

    expression: str
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime:
        six_fields = len(self.expression.split()) == 6
        due = croniter(
            self.expression,
            moment.astimezone(self.zone),
            ret_type=datetime,
            day_or=False,
            second_at_beginning=six_fields,
        ).get_next()
        return datetime.fromtimestamp(due.timestamp(), UTC)


def parse_schedule(text: str, zone_name: str) -> Schedule:
    """Reads a binding's `schedule`; HostError where the host would not index it, or where the zone is unknown."""
    if ":" in text:
        return _parse_interval(text)
    fields = text.split()
    if len(fields) not in {5, 6} or not all(_FIELD.fullmatch(field) for field in fields):
        raise HostError(f"{text!r} is neither an NCRONTAB expression nor a time span")
    try:
        schedule = CronSchedule(" ".join(fields), ZoneInfo(zone_name))
        schedule.next_after(datetime.now(UTC))
    except ZoneInfoNotFoundError as error:
        raise HostError(f"the time zone {zone_name} is unknown") from error
    except ValueError as error:  # croniter's errors are ValueErrors
        raise HostError(f"{text!r} is not an NCRONTAB expression: {error}") from error
    return schedule


def _parse_interval(text: str) -> ConstantSchedule:
    interval = parse_time_span(text)
    if not interval:
        raise HostError("a timer's time span must be longer than 00:00:00")
    return ConstantSchedule(interval)


def is_more_often_than_a_minute(schedule: Schedule, now: datetime) -> bool:
    """Such timers are not monitored: a past due run would only meet the next regular one."""
    first = schedule.next_after(now)
    return schedule.next_after(first) - first < _MINUTE
