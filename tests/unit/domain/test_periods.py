"""Days and weeks that end on wall clocks that jump; each is told once, however often and late anybody asks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.periods import Mark, Marks, Period, Schedule, due, followed, last_period, next_end, told

BERLIN = "Europe/Berlin"
DAILY = Schedule(at="08:00", time_zone=BERLIN)
WEEKLY = Schedule(at="08:00", time_zone=BERLIN, weekday=0)
ZONES = ("UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati")

schedules = st.builds(
    Schedule,
    at=st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)),
    time_zone=st.sampled_from(ZONES),
    weekday=st.none() | st.integers(0, 6),
)
#: Every zone's clocks jump in this time, Samoa's over a whole day.
moments = st.datetimes(datetime(2011, 9, 1), datetime(2012, 5, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 -- made aware
gaps = st.lists(st.integers(1, 4 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)), min_size=1, max_size=60)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ends(schedule: Schedule, start: str, count: int) -> list[str]:
    found, now = [], utc(start)
    for _ in range(count):
        now = next_end(schedule, now)
        found.append(f"{now:%m-%d %H:%M}")
    return found


def test_a_day_ends_at_its_time_on_the_wall_clock() -> None:
    friday = Period(id="2026-11-27", start=utc("2026-11-26T07:00"), end=utc("2026-11-27T07:00"))
    assert last_period(DAILY, utc("2026-11-28T06:59")) == friday
    assert last_period(DAILY, utc("2026-11-28T07:00")).id == "2026-11-28"


def test_a_week_ends_on_its_day_and_has_the_week_s_number() -> None:
    period = Period(id="2026-W48", start=utc("2026-11-16T07:00"), end=utc("2026-11-23T07:00"))
    assert last_period(WEEKLY, utc("2026-11-28T00:00")) == period
    assert next_end(WEEKLY, utc("2026-11-28T00:00")) == utc("2026-11-30T07:00")
    assert last_period(WEEKLY, utc("2027-01-01T00:00")).id == "2026-W53"


def test_the_clock_goes_forward_and_back() -> None:
    assert ends(DAILY, "2026-03-27T12:00", 3) == ["03-28 07:00", "03-29 06:00", "03-30 06:00"]
    night = Schedule(at="02:30", time_zone=BERLIN)
    assert ends(night, "2026-03-28T12:00", 2) == ["03-29 01:00", "03-30 00:30"], "a time that is skipped is the jump"
    assert ends(night, "2026-10-24T12:00", 2) == ["10-25 00:30", "10-26 01:30"], "a time that comes twice is the first"


def test_a_day_that_a_country_skips_is_no_day() -> None:
    samoa = Schedule(at="00:00", time_zone="Pacific/Apia")
    assert ends(samoa, "2011-12-29T00:00", 3) == ["12-29 10:00", "12-30 10:00", "12-31 10:00"]


@given(schedule=schedules, now=moments)
def test_periods_follow_each_other_without_a_gap(schedule: Schedule, now: datetime) -> None:
    period = last_period(schedule, now)
    assert period.start < period.end <= now < next_end(schedule, now)
    assert last_period(schedule, period.start).end == period.start
    assert next_end(schedule, period.start) == period.end


@given(schedule=schedules, first=moments, gaps=gaps, lost=st.sets(st.integers(0, 60)))
def test_whoever_asks_and_dies_tells_every_period_that_was_seen_once(
    schedule: Schedule, first: datetime, gaps: list[timedelta], lost: set[int]
) -> None:
    """`lost`: asks after which the instance dies: the message is recorded under the period's id, but not marked as told."""
    now, mark, told_of, asked = first, Mark(since=first), {}, [first]
    for number, gap in enumerate(gaps):
        now += gap
        asked.append(now)
        if period := due(schedule, mark, now):
            assert first < period.end <= now
            assert period == last_period(schedule, now)
            assert told_of.setdefault(period.id, period) == period
            mark = mark if number in lost else told(mark, period)
    seen = {last_period(schedule, each).id for each in asked if last_period(schedule, each).end > first}
    assert set(told_of) == seen
    ordered = sorted(told_of.values(), key=lambda period: period.end)
    assert all(one.end <= other.start for one, other in pairwise(ordered))


def test_after_an_outage_only_the_newest_is_told() -> None:
    mark = told(Mark(since=utc("2026-11-01T00:00")), last_period(DAILY, utc("2026-11-20T08:00")))
    late = due(DAILY, mark, utc("2026-11-25T20:00"))
    assert late is not None
    assert (late.id, late.start) == ("2026-11-25", utc("2026-11-24T07:00"))
    assert due(DAILY, told(mark, late), utc("2026-11-26T06:59")) is None


def test_what_ended_before_it_was_configured_is_not_told() -> None:
    assert due(DAILY, Mark(since=utc("2026-11-27T07:00")), utc("2026-11-27T07:01")) is None
    assert due(DAILY, Mark(since=utc("2026-11-27T06:59")), utc("2026-11-27T07:01")) is not None


@pytest.mark.parametrize(
    ("changed", "now", "is_due"),
    [
        (Schedule(at="09:00", time_zone=BERLIN), "2026-11-23T08:30", False),
        (Schedule(at="09:00", time_zone=BERLIN), "2026-11-24T08:30", True),
        (Schedule(at="08:00", time_zone="America/New_York"), "2026-11-23T14:00", False),
    ],
    ids=["later the same day", "the next day", "another zone"],
)
def test_a_day_is_told_once_though_its_time_is_changed(changed: Schedule, now: str, is_due: bool) -> None:
    mark = told(Mark(since=utc("2026-11-01T00:00")), last_period(DAILY, utc("2026-11-23T07:30")))
    assert (due(changed, mark, utc(now)) is not None) is is_due


def test_a_week_is_told_once_though_its_day_is_changed() -> None:
    mark = told(Mark(since=utc("2026-11-01T00:00")), last_period(WEEKLY, utc("2026-11-23T07:30")))
    wednesday = Schedule(at="08:00", time_zone=BERLIN, weekday=2)
    assert due(wednesday, mark, utc("2026-11-25T12:00")) is None
    assert due(wednesday, mark, utc("2026-12-02T12:00")) is not None


def test_one_that_becomes_weekly_does_not_tell_of_a_week_that_its_days_have_told() -> None:
    mark = told(Mark(since=utc("2026-11-01T00:00")), last_period(DAILY, utc("2026-11-25T07:30")))
    assert due(WEEKLY, mark, utc("2026-11-25T12:00")) is None
    assert due(WEEKLY, mark, utc("2026-11-30T07:00")) is not None


def test_a_digest_that_is_taken_out_and_put_back_begins_anew() -> None:
    first = followed(Marks(), ["one", "two"], utc("2026-11-01T00:00"))
    assert followed(first, ["one", "two"], utc("2026-11-02T00:00")) == first
    without = followed(first, ["two"], utc("2026-11-03T00:00"))
    assert list(without.marks) == ["two"]
    assert followed(without, ["one", "two"], utc("2026-11-04T00:00")).marks["one"] == Mark(since=utc("2026-11-04T00:00"))
