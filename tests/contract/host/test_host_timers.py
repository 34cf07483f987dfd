"""Timer triggers: at the start, on time, past due, by hand."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from host_processes import Host, eventually

from local.host.errors import HostError
from local.host.schedules import ConstantSchedule, is_more_often_than_a_minute, parse_schedule
from local.host.timer_status import NEVER, TimerStatus, after_run, decide_at_start

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
HOURLY = parse_schedule("0 0 * * * *", "UTC")
HOUR = timedelta(hours=1)


def test_run_on_startup_runs_once_and_is_not_past_due(host: Host) -> None:
    notes = eventually(lambda: host.seen("yearly"))

    assert notes[0]["past_due"] is False
    assert notes[0]["status"]["Next"].endswith("-01-01T00:00:00+00:00")


def test_a_run_that_was_missed_is_made_up_for_and_its_status_kept(guarded_host: Host) -> None:
    # the fixture wrote a status whose Next was on 1 January 2021, before it started the host
    (note,) = eventually(lambda: guarded_host.seen("yearly"))
    assert note["past_due"] is True

    path = "timers/guarded/Host.Functions.yearly/status"
    with guarded_host.storage.blobs() as blobs:
        blob = blobs.get_blob_client("azure-webjobs-hosts", path)
        status = eventually(lambda: (read := json.loads(blob.download_blob().readall()))["Last"] > "2026" and read)
    assert datetime.fromisoformat(status["Next"]) > datetime.now(UTC)


def test_a_timer_never_overlaps_itself(host: Host) -> None:
    notes = eventually(lambda: (notes := host.seen("tick")) and len(notes) >= 6 and notes)

    # it rings every 0.3 s and takes 0.4 s
    assert [note["running"] for note in notes[:6]] == ["in", "out"] * 3


def test_a_timer_is_run_by_hand(host: Host) -> None:
    before = len(eventually(lambda: host.seen("yearly")))

    assert host.post_json("/admin/functions/yearly", {"input": ""}).status == 202
    eventually(lambda: len(host.seen("yearly")) == before + 1)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        pytest.param("0 */5 * * * *", "UTC", "2026-11-23T12:05:00+00:00", id="six fields"),
        pytest.param("30 12 * * *", "UTC", "2026-11-23T12:30:00+00:00", id="five fields"),
        pytest.param("0 30 9 * * MON-FRI", "UTC", "2026-11-24T09:30:00+00:00", id="names"),
        pytest.param("0 0 0 13 * 5", "UTC", "2027-08-13T00:00:00+00:00", id="both days must fit, unlike cron"),
        pytest.param("0 0 14 * * *", "Europe/Berlin", "2026-11-23T13:00:00+00:00", id="time zone"),
        pytest.param("01:30:00", "UTC", "2026-11-23T13:30:00+00:00", id="time span"),
    ],
)
def test_the_next_occurrence(text: str, zone: str, expected: str) -> None:
    assert parse_schedule(text, zone).next_after(NOON).isoformat() == expected


@pytest.mark.parametrize("text", ["", "* * *", "0 0 * * * * *", "0 99 * * * *", "@daily", "0 0 L * * *", "00:00:00", "25:00:00"])
def test_a_schedule_that_the_host_would_not_index_is_refused(text: str) -> None:
    with pytest.raises(HostError):
        parse_schedule(text, "UTC")


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(HostError, match="Mars/Olympus"):
        parse_schedule("0 0 * * * *", "Mars/Olympus")


def test_timers_more_often_than_a_minute_are_not_monitored() -> None:
    assert is_more_often_than_a_minute(parse_schedule("*/30 * * * * *", "UTC"), NOON)
    assert is_more_often_than_a_minute(ConstantSchedule(timedelta(seconds=59)), NOON)
    assert not is_more_often_than_a_minute(parse_schedule("0 * * * * *", "UTC"), NOON)


def test_a_first_start_is_not_past_due() -> None:
    decision = decide_at_start(None, HOURLY, NOON)

    assert decision.status == TimerStatus(NEVER, NOON + HOUR, NOON)
    assert not decision.is_past_due


@pytest.mark.parametrize(("hours_later", "is_past_due"), [(0.5, False), (1.5, True)])
def test_a_stored_next_in_the_past_is_past_due(hours_later: float, is_past_due: bool) -> None:
    stored = TimerStatus(NOON, NOON + HOUR, NOON)

    assert decide_at_start(stored, HOURLY, NOON + hours_later * HOUR).is_past_due is is_past_due


def test_before_the_first_run_the_status_is_judged_from_when_it_was_written() -> None:
    stored = TimerStatus(NEVER, NOON + HOUR, NOON)

    assert decide_at_start(stored, HOURLY, NOON + 2 * HOUR).is_past_due


def test_a_changed_schedule_is_counted_anew_and_not_past_due() -> None:
    stored = TimerStatus(NOON, NOON + HOUR, NOON)
    decision = decide_at_start(stored, parse_schedule("0 30 * * * *", "UTC"), NOON + 2 * HOUR)

    assert not decision.is_past_due
    assert decision.status.next == NOON + 2.5 * HOUR


def test_a_timer_that_rang_a_little_early_does_not_ring_twice() -> None:
    status = TimerStatus(NOON, NOON + HOUR, NOON)
    early = NOON + HOUR - timedelta(milliseconds=3)

    assert after_run(status, HOURLY, early, early).next == NOON + 2 * HOUR


def test_a_status_with_seven_digits_of_a_second_is_read() -> None:
    document = {"Last": "0001-01-01T00:00:00", "Next": "2026-11-23T13:00:00.1234567+00:00", "LastUpdated": "2026-11-23T12:00:00Z"}

    status = TimerStatus.from_json(document)
    assert (status.last, status.last_updated) == (NEVER, NOON)
    assert status.next.microsecond == 123456
