"""The door of a channel, and the line before it."""

import itertools
from datetime import datetime, timedelta

import pytest
from builders import NOW, at
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.channels import AT_THE_DOOR, Admission, channel, enter
from shared.domain.pace import Limit, Pace, push_back

SECOND = Limit(burst=1, per_second=1)


class Door:
    """Messages that come, each again when it was told to, late as a queue brings them."""

    def __init__(self, limit: Limit = SECOND) -> None:
        self.limit = limit
        self.door, self.line = Pace(id="door"), Pace(id="line")
        self.looks = 0

    def comes(self, now: datetime, slot: datetime | None = None) -> Admission:
        self.looks += 1
        self.door, self.line, admission = enter(self.door, self.line, slot, now, self.limit)
        return admission

    def all_in(self, arrivals: list[tuple[datetime, datetime | None]], late: list[float]) -> list[datetime]:
        """When each gets in."""
        posted, number = [], 0
        while arrivals:
            arrivals.sort(key=lambda arrival: arrival[0])
            now, slot = arrivals.pop(0)
            admission = self.comes(now, slot)
            if admission.is_in:
                posted.append(admission.at)
                continue
            number += 1
            arrivals.append((max(now, admission.at) + timedelta(seconds=late[number % len(late)]), admission.at))
        return posted


def test_chats_are_posted_to_below_their_limit_and_services_know_a_repetition() -> None:
    assert channel("slack").limit.per_second < 1
    assert channel("msteams").limit.per_second < 4
    assert (channel("slack").repeats_show, channel("msteams").repeats_show, channel("webhook").repeats_show) == (True, True, False)


def test_the_first_ones_wait_at_the_door_and_the_others_in_the_line() -> None:
    door = Door()
    come = [door.comes(NOW) for _ in range(6)]
    assert [(admission.at, admission.is_in) for admission in come[:3]] == [(at(0), True), (at(1), True), (at(2), True)]
    assert not any(admission.is_in or admission.is_shut for admission in come[3:])
    assert come[3].at == at(3)
    assert come[4].at > at(4)


def test_who_comes_later_does_not_overtake_the_line() -> None:
    door = Door()
    for _ in range(5):
        door.comes(NOW)
    assert not door.comes(at(3)).is_in
    assert door.comes(at(3), at(3)) == Admission(at=at(3), is_in=True)


def test_who_waited_and_finds_others_at_the_door_comes_again_soon() -> None:
    door = Door()
    door.door = push_back(door.door, at(8), SECOND)
    line = door.line
    assert door.comes(NOW, NOW) == Admission(at=at(8), is_in=False, is_shut=True)
    assert door.line == line


@pytest.mark.parametrize("slot", [None, NOW])
def test_a_channel_that_asked_to_wait_lets_nobody_in_and_spreads_those_who_come(slot: datetime | None) -> None:
    door = Door()
    door.door = push_back(door.door, at(60), SECOND)
    come = [door.comes(NOW, slot) for _ in range(5)]
    assert all(admission.is_shut and not admission.is_in for admission in come)
    times = [admission.at for admission in come]
    assert times[0] == at(60)
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in itertools.pairwise(times))


@given(
    st.lists(st.floats(0, 30), min_size=1, max_size=60),
    st.lists(st.floats(0, 3), min_size=1, max_size=7),
    st.sampled_from([Limit(burst=1, per_second=0.9), Limit(burst=1, per_second=3.6)]),
)
def test_all_get_in_one_by_one_however_late_the_queue_is(starts: list[float], late: list[float], limit: Limit) -> None:
    door = Door(limit)
    posted = door.all_in([(at(start), None) for start in starts], late)
    assert len(posted) == len(starts)
    interval = timedelta(seconds=1 / limit.per_second) - timedelta(microseconds=2)
    ordered = sorted(posted)
    assert all(later - earlier >= interval for earlier, later in itertools.pairwise(ordered))
    assert ordered[-1] <= at(max(starts)) + timedelta(seconds=20 + 2 * len(starts) / limit.per_second) + AT_THE_DOOR
    assert door.looks <= 12 * len(starts)
