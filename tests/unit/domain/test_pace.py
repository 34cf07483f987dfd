"""How fast Azure Resource Manager may be written to."""

from datetime import datetime, timedelta
from itertools import pairwise

from builders import NOW, at
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.pace import ARM_WRITES, Limit, Pace, give_back, push_back, reserve, room, take

EMPTY = Pace(id="sub-1.westeurope")
#: What Azure grants (learn.microsoft.com, request-limits-and-throttling).
BUCKET, REFILL_PER_SECOND = 200, 10.0


def lowest(slots: list[datetime]) -> float:
    """The lowest level of Azure's bucket when every slot is used in its moment."""
    tokens = least = float(BUCKET)
    before = min(slots, default=NOW)
    for slot in sorted(slots):
        tokens = min(BUCKET, tokens + (slot - before).total_seconds() * REFILL_PER_SECOND) - 1
        least, before = min(least, tokens), slot
    return least


steps = st.lists(st.tuples(st.integers(0, 400), st.floats(0, 120)), max_size=12)


@given(steps)
def test_no_schedule_ever_empties_the_bucket(reservations: list[tuple[int, float]]) -> None:
    pace, now, slots = EMPTY, NOW, list[datetime]()
    for count, pause in reservations:
        pace, new = reserve(pace, count, now)
        assert len(new) == count
        assert all(slot >= now for slot in new)
        assert list(new) == sorted(new)
        slots += new
        now += timedelta(seconds=pause)
    assert lowest(slots) >= 0


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(-30, 60)), max_size=12))
def test_instances_whose_clocks_differ_keep_the_limit_together(reservations: list[tuple[int, float]]) -> None:
    pace, slots = EMPTY, list[datetime]()
    for count, skew in reservations:
        pace, new = reserve(pace, count, at(skew))
        slots += new
    assert lowest(slots) >= 0


@given(steps, st.floats(0, 300), st.integers(1, 400))
def test_after_a_429_no_slot_comes_before_its_time_and_none_above_the_steady_rate(
    reservations: list[tuple[int, float]], wait: float, count: int
) -> None:
    pace, now = EMPTY, NOW
    for size, pause in reservations:
        pace, _ = reserve(pace, size, now)
        now += timedelta(seconds=pause)
    until = now + timedelta(seconds=wait)
    _, slots = reserve(push_back(pace, until), count, now)
    assert slots[0] >= until
    assert all(later - one >= timedelta(seconds=0.1) for one, later in pairwise(slots))


def test_a_burst_is_free_and_then_the_steady_rate_holds() -> None:
    _, slots = reserve(EMPTY, 1000, NOW)
    assert slots[ARM_WRITES.burst - 1] == NOW
    assert slots[ARM_WRITES.burst] > NOW
    assert (slots[-1] - NOW).total_seconds() <= (1000 - BUCKET) / REFILL_PER_SECOND * 1.03 + 2


def test_the_reservations_of_one_are_the_same_as_those_of_many() -> None:
    together = reserve(EMPTY, 250, NOW)
    pace, slots = EMPTY, list[datetime]()
    for _ in range(250):
        pace, new = reserve(pace, 1, NOW)
        slots += new
    assert (pace, tuple(slots)) == together


def test_the_bucket_is_full_again_after_a_while() -> None:
    pace, _ = reserve(EMPTY, ARM_WRITES.burst, NOW)
    _, slots = reserve(pace, ARM_WRITES.burst, at(20))
    assert set(slots) == {at(20)}


def test_a_429_never_brings_a_slot_forward() -> None:
    pace, _ = reserve(EMPTY, 1000, NOW)
    assert push_back(pace, NOW) == pace


def test_a_limit_without_a_burst_is_a_plain_interval() -> None:
    _, slots = reserve(EMPTY, 3, NOW, Limit(burst=1, per_second=2))
    assert slots == (NOW, at(0.5), at(1))


@given(steps, st.integers(0, 90))
def test_the_room_is_just_what_can_be_reserved_within_that_time(reservations: list[tuple[int, float]], within: int) -> None:
    pace, now = EMPTY, NOW
    for count, pause in reservations:
        pace, _ = reserve(pace, count, now)
        now += timedelta(seconds=pause)
    free, last = room(pace, now, timedelta(seconds=within)), now + timedelta(seconds=within)
    _, slots = reserve(pace, free + 1, now)
    assert all(slot <= last for slot in slots[:free])
    assert slots[free] > last


def test_an_unused_pace_has_room_for_its_burst_and_for_what_the_rate_adds() -> None:
    limit = Limit(burst=5, per_second=2)
    assert room(EMPTY, NOW, timedelta(0), limit) == 5
    assert room(EMPTY, NOW, timedelta(seconds=3), limit) == 11


def test_a_pace_that_is_reserved_beyond_that_time_has_no_room() -> None:
    assert room(reserve(EMPTY, 1000, NOW)[0], NOW, timedelta(seconds=60)) == 0


def test_what_is_given_back_can_be_reserved_again() -> None:
    pace, slots = reserve(EMPTY, 300, NOW)
    again, later = reserve(pace, 90, NOW)
    assert later[0] > slots[-1]
    assert give_back(again, 90) == pace


def test_a_pace_that_nobody_used_has_nothing_to_be_given_back() -> None:
    assert give_back(EMPTY, 5) == EMPTY


@given(st.lists(st.tuples(st.integers(0, 90), st.floats(0, 20), st.booleans()), max_size=12))
def test_what_is_given_back_at_once_never_empties_the_bucket(reservations: list[tuple[int, float, bool]]) -> None:
    pace, now, used = EMPTY, NOW, list[datetime]()
    for count, pause, is_used in reservations:
        pace, mine = reserve(pace, count, now)
        pace, others = reserve(pace, count, now)  # between the two of a race that is lost
        used += [*others, *(mine if is_used else ())]
        pace = pace if is_used else give_back(pace, count)
        now += timedelta(seconds=pause)
    assert lowest(used) >= 0


@given(st.lists(st.floats(0, 30), max_size=60))
def test_a_slot_at_once_is_taken_or_waited_for(pauses: list[float]) -> None:
    limit, pace, now, taken = Limit(burst=3, per_second=0.5), EMPTY, NOW, list[datetime]()
    for pause in pauses:
        now += timedelta(seconds=pause)
        before = pace
        pace, wait = take(pace, now, limit)
        if wait:
            assert pace == before
            assert take(pace, now + wait, limit)[1] == timedelta()
        else:
            taken.append(now)
    assert all(fourth - first >= timedelta(seconds=2) for first, fourth in zip(taken, taken[3:], strict=False))
