"""When a target may start: weekly and dated spans on wall clocks that jump, and freezes that win over windows."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.domain.errors import Malformed
from shared.domain.windows import HORIZON, Calendar, Window, closes_at, is_open, opens_at, zone

BERLIN = "Europe/Berlin"
DAILY = tuple(range(7))
WORKDAYS = (0, 1, 2, 3, 4)
SUNDAY = (6,)
MINUTE = timedelta(minutes=1)


def weekly(start: str, end: str, days: tuple[int, ...] = DAILY, time_zone: str = BERLIN) -> Window:
    return Window(time_zone=time_zone, days=days, start=start, end=end)


def once(first: str, last: str, time_zone: str = BERLIN) -> Window:
    return Window(time_zone=time_zone, first=first, last=last)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def openings(calendar: Calendar, start: str, end: str) -> list[tuple[str, str]]:
    """From when to when it is open between two moments in UTC."""
    found, now, last = [], utc(start), utc(end)
    while (opens := opens_at(calendar, now)) is not None and opens < last:
        closes = closes_at(calendar, opens) or last
        found.append((f"{opens:%d %H:%M}", f"{min(closes, last):%d %H:%M}"))
        now = closes
    return found


def test_without_windows_and_freezes_it_is_always_open() -> None:
    now = utc("2026-11-25T10:00")
    assert is_open(Calendar(), now)
    assert opens_at(Calendar(), now) is now
    assert closes_at(Calendar(), now) is None


def test_a_weekly_window_is_open_on_its_days_from_its_start_until_its_end() -> None:
    calendar = Calendar(windows=(weekly("08:00", "17:00", WORKDAYS),))
    assert openings(calendar, "2026-11-26T00:00", "2026-11-30T23:00") == [
        ("26 07:00", "26 16:00"),
        ("27 07:00", "27 16:00"),
        ("30 07:00", "30 16:00"),
    ]
    assert is_open(calendar, utc("2026-11-26T07:00"))
    assert is_open(calendar, utc("2026-11-26T15:59:59.999999"))
    assert not is_open(calendar, utc("2026-11-26T16:00"))
    assert not is_open(calendar, utc("2026-11-26T06:59:59.999999"))
    assert closes_at(calendar, utc("2026-11-26T16:00")) is None


def test_the_same_wall_clock_is_another_moment_in_another_zone() -> None:
    windows = (weekly("08:00", "17:00", time_zone="Asia/Kolkata"), weekly("08:00", "17:00", time_zone="America/New_York"))
    assert openings(Calendar(windows=windows), "2026-11-26T00:00", "2026-11-26T23:00") == [
        ("26 02:30", "26 11:30"),
        ("26 13:00", "26 22:00"),
    ]


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    calendar = Calendar(windows=(weekly("22:00", "04:00", days=(4,)),))
    assert openings(calendar, "2026-11-25T00:00", "2026-12-02T00:00") == [("27 21:00", "28 03:00")]
    assert is_open(calendar, utc("2026-11-28T02:00"))


def test_whole_days_that_follow_each_other_do_not_close_at_midnight() -> None:
    assert openings(Calendar(windows=(weekly("00:00", "00:00", WORKDAYS),)), "2026-11-27T12:00", "2026-12-01T12:00") == [
        ("27 12:00", "27 23:00"),
        ("29 23:00", "01 12:00"),
    ]
    always = Calendar(windows=(weekly("00:00", "00:00"),))
    assert closes_at(always, utc("2026-11-27T12:00")) is None


def test_windows_that_overlap_are_one() -> None:
    calendar = Calendar(windows=(weekly("08:00", "12:00"), weekly("11:00", "14:00"), weekly("14:00", "15:00"), weekly("09:00", "10:00")))
    assert openings(calendar, "2026-11-26T00:00", "2026-11-26T23:00") == [("26 07:00", "26 14:00")]


def test_a_dated_window_is_open_once() -> None:
    calendar = Calendar(windows=(once("2026-12-01T20:00", "2026-12-02T02:00"),))
    assert opens_at(calendar, utc("2026-11-26T00:00")) == utc("2026-12-01T19:00")
    assert closes_at(calendar, utc("2026-12-01T23:00")) == utc("2026-12-02T01:00")
    assert opens_at(calendar, utc("2026-12-02T01:00")) is None


def test_a_freeze_wins_over_a_window() -> None:
    windows = (weekly("08:00", "17:00"),)
    calendar = Calendar(windows=windows, freezes=(weekly("11:00", "13:00"), once("2026-11-27T10:00", "2026-11-29T09:00")))
    assert openings(calendar, "2026-11-26T00:00", "2026-11-29T23:00") == [
        ("26 07:00", "26 10:00"),
        ("26 12:00", "26 16:00"),
        ("27 07:00", "27 09:00"),
        ("29 08:00", "29 10:00"),
        ("29 12:00", "29 16:00"),
    ]


def test_freezes_that_follow_each_other_are_one() -> None:
    freezes = (once("2026-11-26T10:00", "2026-11-26T12:00"), once("2026-11-26T12:00", "2026-11-26T15:00"))
    calendar = Calendar(freezes=freezes)
    assert openings(calendar, "2026-11-26T00:00", "2026-11-26T23:00") == [("26 00:00", "26 09:00"), ("26 14:00", "26 23:00")]
    assert closes_at(calendar, utc("2026-11-26T15:00")) is None


def test_what_is_frozen_for_longer_than_anyone_waits_does_not_open() -> None:
    now = utc("2026-11-26T00:00")
    assert opens_at(Calendar(freezes=(once("2026-01-01T00:00", "2027-12-01T00:00"),)), now) == utc("2027-11-30T23:00")
    assert opens_at(Calendar(freezes=(once("2026-01-01T00:00", "2029-01-01T00:00"),)), now) is None
    assert opens_at(Calendar(windows=(weekly("08:00", "10:00"),), freezes=(weekly("07:00", "11:00"),)), now) is None
    assert opens_at(Calendar(windows=(once("2029-01-01T00:00", "2029-01-02T00:00"),)), now) is None
    assert closes_at(Calendar(freezes=(once("2029-01-01T00:00", "2029-01-02T00:00"),)), now) is None


#: In Berlin 02:00 to 03:00 is skipped on 29 March 2026 at 01:00 UTC, and comes twice on 25 October 2026 from 00:00 UTC on.
#: On Lord Howe 02:00 to 02:30 is skipped on 4 October 2026 at 15:30 UTC of the day before; 01:30 to 02:00 comes twice on 5 April.
#: In Cairo the day begins at 01:00 on 24 April 2026, at 22:00 UTC of the day before.
JUMPS = {
    "an hour that is skipped": (BERLIN, "2026-03-29", "02:00", "03:00", []),
    "half of an hour that is skipped": (BERLIN, "2026-03-29", "02:15", "02:45", []),
    "beginning in what is skipped": (BERLIN, "2026-03-29", "02:30", "04:00", [("29 01:00", "29 02:00")]),
    "ending in what is skipped": (BERLIN, "2026-03-29", "01:30", "02:30", [("29 00:30", "29 01:00")]),
    "over what is skipped": (BERLIN, "2026-03-29", "01:00", "04:00", [("29 00:00", "29 02:00")]),
    "a day of 23 hours": (BERLIN, "2026-03-29", "00:00", "00:00", [("28 23:00", "29 22:00")]),
    "an hour that comes twice": (BERLIN, "2026-10-25", "02:00", "03:00", [("25 00:00", "25 02:00")]),
    "half of an hour that comes twice": (BERLIN, "2026-10-25", "02:15", "02:45", [("25 00:15", "25 00:45")]),
    "beginning in what comes twice": (BERLIN, "2026-10-25", "02:30", "04:00", [("25 00:30", "25 03:00")]),
    "ending in what comes twice": (BERLIN, "2026-10-25", "01:30", "02:30", [("24 23:30", "25 00:30")]),
    "a day of 25 hours": (BERLIN, "2026-10-25", "00:00", "00:00", [("24 22:00", "25 23:00")]),
    "half an hour that is skipped": ("Australia/Lord_Howe", "2026-10-04", "02:00", "03:00", [("03 15:30", "03 16:00")]),
    "a midnight that is skipped": ("Africa/Cairo", "2026-04-24", "00:00", "02:00", [("23 22:00", "23 23:00")]),
}


@pytest.mark.parametrize("case", JUMPS)
def test_on_the_day_on_which_the_clocks_jump(case: str) -> None:
    time_zone, day, start, end, expected = JUMPS[case]
    noon = utc(f"{day}T12:00")
    calendar = Calendar(windows=(weekly(start, end, days=(noon.weekday(),), time_zone=time_zone),))
    around = [(noon + timedelta(days=days)).replace(tzinfo=None).isoformat() for days in (-2, 2)]
    assert openings(calendar, around[0], around[1]) == expected


def test_a_window_that_is_skipped_comes_again_a_week_later() -> None:
    calendar = Calendar(windows=(weekly("02:00", "03:00", SUNDAY),))
    assert opens_at(calendar, utc("2026-03-23T00:00")) == utc("2026-04-05T00:00")


def test_a_dated_freeze_has_no_gap_where_the_clocks_go_back() -> None:
    calendar = Calendar(freezes=(once("2026-10-25T02:30", "2026-10-25T04:00"),))
    assert openings(calendar, "2026-10-24T23:00", "2026-10-25T06:00") == [("24 23:00", "25 00:30"), ("25 03:00", "25 06:00")]


def test_a_day_that_a_zone_left_out_has_no_window() -> None:
    """Samoa went from 29 December 2011 straight to the 31st."""
    calendar = Calendar(windows=(weekly("00:00", "00:00", days=(4,), time_zone="Pacific/Apia"),))
    assert opens_at(calendar, utc("2011-12-28T00:00")) == utc("2012-01-05T10:00")


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "/etc/passwd", "../passwd", "Europe", "Europe/Berlin\x00", "\ud800"])
def test_a_zone_that_is_none_is_told(name: str) -> None:
    with pytest.raises(Malformed, match="there is no time zone named"):
        zone(name)


ZONES = (BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo", "America/Nuuk", "Pacific/Chatham")
#: Moments near which clocks jump somewhere in ZONES, and some at which nothing happens.
NEAR = tuple(
    utc(f"{day}T12:00")
    for day in (
        "2026-03-08",
        "2026-03-28",
        "2026-04-04",
        "2026-04-23",
        "2026-06-15",
        "2026-10-03",
        "2026-10-24",
        "2026-10-29",
        "2026-11-01",
    )
)
BEHIND, AHEAD = timedelta(days=1), timedelta(days=3)

times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]) | st.integers(0, 59)) | st.sampled_from(
    ["00:00", "01:00", "02:00", "02:30", "03:00"]
)
weekly_windows = st.builds(
    weekly, times, times, st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple) | st.just(DAILY), st.sampled_from(ZONES)
)
nows = st.builds(lambda near, minutes: near + minutes * MINUTE, st.sampled_from(NEAR), st.integers(-1440, 1440))


@st.composite
def dated_windows(draw: st.DrawFn) -> Window:
    first = draw(nows).replace(tzinfo=None)
    last = first + draw(st.integers(1, 4000)) * MINUTE
    return once(first.isoformat(timespec="minutes"), last.isoformat(timespec="minutes"), draw(st.sampled_from(ZONES)))


some_windows = st.lists(weekly_windows | dated_windows(), max_size=3).map(tuple)
calendars = st.builds(Calendar, windows=some_windows, freezes=some_windows)


def scanned(window: Window, minutes: list[datetime]) -> set[datetime]:
    """The minutes in which a window is on, by looking at the wall clock of each."""
    walls = [minute.astimezone(ZoneInfo(window.time_zone)).replace(tzinfo=None) for minute in minutes]

    def shows(wall: datetime) -> int:
        return next((index for index, shown in enumerate(walls) if shown >= wall), len(walls))

    if window.first:
        return set(minutes[shows(datetime.fromisoformat(window.first)) : shows(datetime.fromisoformat(window.last))])
    found: set[datetime] = set()
    for days in range(-1, (minutes[-1] - minutes[0]).days + 3):
        day = walls[0].date() + timedelta(days=days)
        if day.weekday() in window.days:
            start, end = (datetime.fromisoformat(f"{day}T{text}") for text in (window.start, window.end))
            end += timedelta(days=1) if end <= start else timedelta()
            found.update(minutes[shows(start) : shows(end)])
    return found


@given(calendars, nows)
@example(Calendar(windows=(weekly("02:00", "03:00"),)), utc("2026-03-29T00:59"))
@example(Calendar(windows=(weekly("02:15", "02:45"),)), utc("2026-10-25T00:15"))
@example(Calendar(windows=(weekly("00:00", "00:00", SUNDAY, "America/Nuuk"),)), utc("2026-10-25T00:30"))
def test_it_is_open_in_the_minutes_that_a_look_at_every_minute_finds(calendar: Calendar, now: datetime) -> None:
    minutes = [now - BEHIND + index * MINUTE for index in range((BEHIND + AHEAD) // MINUTE)]
    on = set.union(set(), *(scanned(window, minutes) for window in calendar.windows)) if calendar.windows else set(minutes)
    on -= set.union(set(), *(scanned(window, minutes) for window in calendar.freezes))
    # A scan sees neither what began before it nor what ends after it, so a day at each end is left out.
    ahead = [minute for minute in minutes if now <= minute < now + AHEAD - timedelta(days=1)]
    assert is_open(calendar, now) == (now in on)

    opens = opens_at(calendar, now)
    first = next((minute for minute in ahead if minute in on), None)
    assert opens == first if first is not None else opens is None or opens > ahead[-1]

    closes = closes_at(calendar, now)
    shut = next((minute for minute in ahead if minute not in on), None) if now in on else None
    assert closes == shut if shut is not None else closes is None or closes > ahead[-1]


@given(calendars, nows)
def test_it_opens_when_it_is_open_and_closes_when_it_no_longer_is(calendar: Calendar, now: datetime) -> None:
    opens = opens_at(calendar, now)
    assume(opens is not None)
    assert opens is not None
    assert now <= opens <= now + HORIZON
    assert is_open(calendar, opens)
    assert (opens == now) == is_open(calendar, now)
    assert opens == now or not is_open(calendar, opens - timedelta(microseconds=1))
    closes = closes_at(calendar, opens)
    if closes is not None:
        assert opens < closes < opens + HORIZON
        assert is_open(calendar, closes - timedelta(microseconds=1))
        assert not is_open(calendar, closes)


@given(calendars, nows)
def test_what_opens_and_closes_does_so_whenever_it_is_asked(calendar: Calendar, now: datetime) -> None:
    """Between two answers nothing changes: a rollout that is woken in between learns the same."""
    moments = [now, now + 7 * MINUTE, now + timedelta(hours=5)]
    for earlier, later in pairwise(moments):
        for answer in (opens_at, closes_at):
            told = answer(calendar, earlier)
            if told is not None and later < told and is_open(calendar, earlier) == (answer is closes_at):
                assert answer(calendar, later) == told
