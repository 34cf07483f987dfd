"""Which pending targets may start now."""

from typing import Any

import pytest
from builders import NOW, a_rollout, a_stage, a_target, at
from msgspec.structs import replace

from shared.domain.facts import Facts
from shared.domain.picking import may_start, open_calendars, pick
from shared.domain.rollouts import Glance, Rollout
from shared.domain.windows import Calendar, Window

#: NOW is 12:00 UTC.
CLOSED = Calendar(windows=(Window(time_zone="UTC", first="2026-11-23T13:00", last="2026-11-23T14:00"),))


def running(**fields: Any) -> Rollout:
    """Its second stage of three is open; each has two places."""
    stages = [
        a_stage(name, 9, state=state, max_concurrency=2)
        for name, state in (("a", "succeeded"), ("b", fields.pop("stage_state", "running")), ("c", "pending"))
    ]
    return a_rollout(*stages, **{"current": 1, "calendars": (Calendar(), CLOSED)} | fields)


def glances(*states: Any, **fields: Any) -> list[Glance]:
    first = fields.pop("first", 0)
    return [Glance.at(replace(a_target(first + number, stage=1), **{"state": state} | fields)) for number, state in enumerate(states)]


def picked(rollout: Rollout, *seen: Glance, room: dict[str, int] | None = None, most: int = 90) -> list[int]:
    return [int(key.removeprefix("target-")) for key in pick(rollout, seen, Facts(room=room or {}), NOW, most=most)]


def test_as_many_start_as_there_are_places_in_their_order() -> None:
    assert picked(running(), *reversed(glances("pending", "pending", "pending"))) == [0, 1]
    assert picked(running(), *glances("applied", "pending", "pending", "compliant")) == [1]
    assert picked(running(), *glances("applied", "queued", "pending")) == []
    assert picked(running(), *glances("applied", "applied", "applied", "pending")) == []


def test_no_more_than_wanted() -> None:
    assert picked(running(), *glances("pending", "pending"), most=1) == [0]
    assert picked(running(), *glances("pending", "pending"), most=0) == []


def test_without_anyone_who_waits_nobody_starts() -> None:
    assert picked(running(), *glances("applied", "offline", "failed")) == []


def test_each_stage_has_its_own_places() -> None:
    catching_up = glances("pending", "pending", "pending", stage=0, first=10)
    assert picked(running(), *glances("applied", "pending"), *catching_up) == [10, 11, 1]


def test_one_without_room_or_a_window_lets_the_next_go_first() -> None:
    seen = [
        *glances("pending", subscription="full"),
        *glances("pending", calendar=1, first=1),
        *glances("pending", subscription="free", first=2),
        *glances("pending", first=3),
    ]
    assert picked(running(), *seen, room={"full": 0, "free": 1}) == [2, 3]


def test_room_is_used_up() -> None:
    seen = [*glances("pending", "pending", subscription="free"), *glances("pending", first=2)]
    assert picked(running(), *seen, room={"free": 1}) == [0, 2]


def test_a_rollback_waits_for_no_window() -> None:
    back = glances("pending", goal="back", calendar=1)
    assert picked(running(state="rolling-back"), *back) == [0]
    assert picked(running(state="rolling-back"), *back, room={"sub-1": 0}) == []


@pytest.mark.parametrize(
    ("fields", "startable"),
    [
        pytest.param({}, {("forward", 0), ("forward", 1)}, id="running"),
        pytest.param({"stage_state": "pending"}, {("forward", 0)}, id="the stage waits"),
        pytest.param({"stage_state": "failed", "state": "paused"}, set(), id="paused"),
        pytest.param({"state": "succeeded"}, {("forward", 0), ("forward", 1), ("forward", 2)}, id="succeeded"),
        pytest.param({"state": "rolling-back"}, {("back", 0), ("back", 1), ("back", 2)}, id="rolling back"),
        pytest.param({"state": "rolled-back"}, {("back", 0), ("back", 1), ("back", 2)}, id="rolled back"),
        pytest.param({"state": "superseded"}, set(), id="superseded"),
        pytest.param({"state": "aborted"}, set(), id="aborted"),
    ],
)
def test_what_may_start_is_up_to_the_rollout(fields: Any, startable: set[tuple[str, int]]) -> None:
    rollout = running(**fields)
    goals: tuple[Any, ...] = ("forward", "back")
    found = {(goal, stage) for goal in goals for stage in range(3) if may_start(rollout, glances("pending", goal=goal, stage=stage)[0])}
    assert found == startable


def test_calendars_are_open_or_closed_by_the_time() -> None:
    assert open_calendars(running(), NOW) == {0}
    assert open_calendars(running(), at(3600)) == {0, 1}
