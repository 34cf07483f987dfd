"""Rows are told once, from where the last run ended, and nothing is lost when a call fails."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from builders import NOW
from fakes import FakeClock

from shared.domain.errors import Conflict, Throttled
from shared.domain.log_rows import Mark, Row
from shared.services import export_logs
from shared.services.export_logs import ExportLogs

START = int(NOW.timestamp())


@dataclass
class Written:
    """Rows by the second of their writing."""

    seconds: list[tuple[int, Row]] = field(default_factory=list)
    kept: Mark = field(default_factory=lambda: Mark(id="s"))
    etag: str = ""

    def names(self) -> tuple[str, ...]:
        return ("s",)

    async def span(self, stream: str, since: datetime, until: datetime) -> tuple[int, int]:
        return int(since.timestamp()), int(until.timestamp())

    async def rows(self, stream: str, after: int, upto: int) -> AsyncIterator[tuple[int, Row]]:
        for at, row in sorted(self.seconds, key=lambda one: one[0]):
            if after < at <= upto:
                yield at, row

    async def mark(self, stream: str) -> tuple[Mark, str]:
        return self.kept, self.etag

    async def save_mark(self, mark: Mark, etag: str) -> str:
        if etag != self.etag:
            raise Conflict("moved")
        self.kept, self.etag = mark, f"{etag}x"
        return self.etag


@dataclass
class Place:
    told: list[Mapping[str, object]] = field(default_factory=list)
    calls: int = 0
    fails_at: int | None = None

    async def add(self, stream: str, rows: Sequence[Mapping[str, object]]) -> None:
        self.calls += 1
        if self.calls == self.fails_at:
            raise Throttled("later", code="429")
        self.told += rows


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def write(written: Written, *seconds: int) -> None:
    written.seconds += [(START + second, {"n": len(written.seconds) + number}) for number, second in enumerate(seconds)]


async def test_what_was_told_is_not_told_again(clock: FakeClock) -> None:
    written, place = Written(), Place()
    export = ExportLogs(written, place, clock)
    write(written, 1, 1, 2)
    clock.pass_(60)
    await export()
    await export()
    write(written, 65)
    clock.pass_(60)
    await export()
    assert [row["n"] for row in place.told] == [0, 1, 2, 3]


async def test_what_was_written_just_now_waits(clock: FakeClock) -> None:
    written, place = Written(), Place()
    write(written, 0)
    await ExportLogs(written, place, clock)()
    assert place.told == []
    assert written.etag == ""


async def test_the_first_look_goes_back_a_day(clock: FakeClock) -> None:
    written, place = Written(), Place()
    write(written, -int(timedelta(days=2).total_seconds()), -3600)
    await ExportLogs(written, place, clock)()
    assert [row["n"] for row in place.told] == [1]


async def test_a_failed_call_leaves_the_mark_and_the_next_run_tells_the_rest(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_logs, "_ENOUGH", 2)
    written, place = Written(), Place(fails_at=2)
    export = ExportLogs(written, place, clock)
    write(written, 1, 2, 2, 3, 4)
    clock.pass_(60)
    with pytest.raises(Throttled):
        await export()
    assert [row["n"] for row in place.told] == [0, 1, 2]  # a second is never told in halves
    assert written.kept.upto == START + 2
    await export()
    assert [row["n"] for row in place.told] == [0, 1, 2, 3, 4]


async def test_many_rows_of_one_place_are_told_in_parts_and_marked_once(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_logs, "_ENOUGH", 2)
    monkeypatch.setattr(export_logs, "_MOST", 3)
    written, place = Written(), Place()
    write(written, 1, 1, 1, 1, 1, 1, 1)
    clock.pass_(60)
    await ExportLogs(written, place, clock)()
    assert [row["n"] for row in place.told] == list(range(7))
    assert (place.calls, written.etag) == (3, "x")


async def test_a_place_that_was_told_in_part_is_told_again_from_its_beginning(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_logs, "_MOST", 2)
    written, place = Written(), Place(fails_at=2)
    export = ExportLogs(written, place, clock)
    write(written, 1, 1, 1)
    clock.pass_(60)
    with pytest.raises(Throttled):
        await export()
    assert written.etag == ""
    await export()
    assert [row["n"] for row in place.told] == [0, 1, 0, 1, 2]
