"""How the fleet was: bounded, four points a day, and as a line of characters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sightings import a_cluster, seen

from shared.domain.fleet import Drift, Entry, Member, Page
from shared.domain.selectors import Selector
from shared.domain.trend import (
    KEPT,
    STEP,
    WHOLE,
    Counts,
    Point,
    Trend,
    add,
    between,
    count,
    floor,
    known_at,
    selected,
    sparkline,
    trend_id,
)

DAY = datetime(2026, 11, 23, tzinfo=UTC)
DRIFT = Drift(kind="spec", detail="", since=NOW, found_at=NOW)


def an_entry(number: int = 0, state: str = "compliant", *, name: str = "platform", **fields: Any) -> Entry:
    return Entry(seen=seen(number, name=name), state=state, **fields)


def a_member(number: int, *entries: Entry, state: str = "connected", tags: dict[str, str] | None = None, **fields: Any) -> Member:
    kept = {f"{index}": entry for index, entry in enumerate(entries)}
    return Member(cluster=a_cluster(number, tags=tags or {}), entries=kept, states={"cluster": state}, **fields)


PAGE = Page(
    id="00",
    members={
        "berlin": a_member(0, an_entry(), an_entry(name="apps", state="non-compliant"), tags={"ring": "prod"}),
        "lyon": a_member(1, an_entry(1, drift=DRIFT), an_entry(1, name="gone", drift=DRIFT, missing_since=NOW), state="offline"),
        "oslo": a_member(2, an_entry(2, state=""), state="expired"),
        "rome": a_member(3, an_entry(3), missing_since=NOW),
    },
)


def points(*shares: float | None, step: timedelta = STEP) -> tuple[Point, ...]:
    def counts(share: float | None) -> Counts:
        return Counts() if share is None else Counts(compliant=round(share * 1000), non_compliant=1000 - round(share * 1000))

    return tuple(Point(at=DAY + index * step, counts=counts(share)) for index, share in enumerate(shares))


def test_what_is_there_is_counted_and_what_is_gone_may_still_be_drift() -> None:
    whole = Counts(clusters=3, connected=1, offline=2, configurations=4, compliant=2, non_compliant=1, drifted=2)
    assert count(selected([PAGE], Selector())) == whole
    assert whole.share == pytest.approx(2 / 3)
    assert Counts().share is None


@pytest.mark.parametrize(
    ("selector", "clusters", "configurations"),
    [
        (Selector(tags={"ring": "prod"}), 1, 2),
        (Selector(cluster="cluster-00[01]"), 2, 3),
        (Selector(configuration="apps"), 3, 1),
        (Selector(location="nowhere"), 0, 0),
    ],
)
def test_a_selector_means_clusters_and_of_them_fluxconfigurations(selector: Selector, clusters: int, configurations: int) -> None:
    counted = count(selected([PAGE], selector))
    assert (counted.clusters, counted.configurations) == (clusters, configurations)


def test_each_selector_has_a_trend_of_its_own() -> None:
    ids = [trend_id(each) for each in (Selector(), Selector(tags={"a": "1", "b": "2"}), Selector(cluster="a"))]
    assert ids[0] == WHOLE
    assert len(set(ids)) == 3
    assert trend_id(Selector(tags={"b": "2", "a": "1"})) == ids[1]


@given(gaps=st.lists(st.integers(1, 5000), max_size=700))
def test_it_grows_by_one_point_a_quarter_of_a_day_and_not_beyond_twelve_weeks(gaps: list[int]) -> None:
    trend, now = Trend(), DAY
    for gap in gaps:
        now += timedelta(minutes=gap)
        renewed = add(trend, Counts(clusters=gap), now)
        assert (renewed is trend) is bool(trend.points and (trend.points[-1].at - DAY) // STEP == (now - DAY) // STEP)
        trend = renewed
    assert len(trend.points) <= KEPT / STEP + 2
    assert all(now - point.at <= KEPT + STEP for point in trend.points)
    assert len({(point.at - DAY) // STEP for point in trend.points}) == len(trend.points)


def test_a_clock_that_goes_back_adds_nothing() -> None:
    trend = add(Trend(), Counts(), DAY)
    assert add(trend, Counts(), DAY - 3 * STEP) is trend


def test_the_fleet_at_a_moment_is_the_newest_point_before_it_of_that_time() -> None:
    trend = Trend(points=points(0.5, 0.6))
    assert known_at(trend, DAY) == trend.points[0].counts
    assert known_at(trend, DAY + STEP + timedelta(hours=1)) == trend.points[1].counts
    assert known_at(trend, DAY - timedelta(hours=1)) is None
    assert known_at(trend, DAY + 4 * STEP) is None
    assert between(trend, DAY + timedelta(hours=1), DAY + STEP) == trend.points[1:]


@pytest.mark.parametrize(("shares", "bottom"), [((), 0.99), ((1.0,), 0.99), ((0.985, 1.0), 0.95), ((0.79,), 0.5), ((0.0,), 0.0)])
def test_the_scale_begins_below_the_least(shares: tuple[float, ...], bottom: float) -> None:
    assert floor(shares) == bottom


def test_the_line_shows_the_worst_of_each_part_and_where_nobody_looked() -> None:
    day = timedelta(days=1)
    shown = points(1.0, 0.97, None, 1.0, 0.95, step=day / 2)
    assert sparkline(shown, DAY, DAY + 4 * day, 4) == "▃█▁·"
    assert sparkline(points(1.0), DAY, DAY + 4 * day, 4) == "█···"
    assert sparkline(points(None), DAY, DAY + 4 * day, 4) == ""


@given(shares=st.lists(st.floats(0, 1), min_size=1, max_size=60), length=st.integers(1, 20))
def test_whatever_the_shares_the_line_has_its_length(shares: list[float], length: int) -> None:
    shown = points(*shares)
    line = sparkline(shown, DAY, shown[-1].at + timedelta(seconds=1), length)
    assert len(line) == length
    assert set(line) <= set("▁▂▃▄▅▆▇█·")


def test_the_end_of_the_time_belongs_to_the_last_part() -> None:
    shown = (*points(1.0), replace(points(0.95)[0], at=DAY + STEP))
    assert sparkline(shown, DAY, DAY + STEP, 2) == "█▁"
