"""Which pending targets may start now: a place in their stage, an open window, and room in the pace."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter

from shared.domain.crowd import closed_stages
from shared.domain.facts import Facts
from shared.domain.rollouts import IN_FLIGHT, Glance, Goal, Rollout
from shared.domain.windows import is_open

_TURN = attrgetter("stage", "order")


def open_calendars(rollout: Rollout, now: datetime) -> frozenset[int]:
    """Indexes of the calendars by which targets may start now."""
    return frozenset(index for index, calendar in enumerate(rollout.calendars) if is_open(calendar, now))


def may_start(rollout: Rollout, glance: Glance) -> bool:
    """Whether the rollout sends updates to targets like this one at all."""
    goal, stages = _starts(rollout)
    return glance.goal == goal and glance.stage < stages


def in_line(rollout: Rollout, glances: Iterable[Glance]) -> list[Glance]:
    """Those that are pending, and to which the rollout sends updates."""
    goal, stages = _starts(rollout)
    return [glance for glance in glances if glance.state == "pending" and glance.goal == goal and glance.stage < stages]


def pick(rollout: Rollout, glances: Sequence[Glance], facts: Facts, now: datetime, *, most: int) -> list[str]:
    """Ids of at most `most` targets to queue, in order. A rollback waits for no window, but for the pace and its stages' places."""
    waiting = in_line(rollout, glances)
    if not waiting or not most:
        return []
    places, room, calendars = _places(rollout, glances), dict(facts.room), open_calendars(rollout, now)
    ready = [g for g in waiting if places[g.stage] > 0 and (g.goal == "back" or g.calendar in calendars)]
    picked: list[str] = []
    for glance in sorted(ready, key=_TURN):
        if places[glance.stage] > 0 and room.get(glance.subscription, 1) > 0:
            places[glance.stage] -= 1
            if glance.subscription in room:
                room[glance.subscription] -= 1
            picked.append(glance.id)
            if len(picked) == most:
                break
    return picked


def _starts(rollout: Rollout) -> tuple[Goal, int]:
    """Which way updates are sent, and to how many of the stages."""
    match rollout.state:
        case "running":
            return "forward", closed_stages(rollout) + (rollout.stages[rollout.current].state == "running")
        case "succeeded":
            return "forward", closed_stages(rollout)
        case "rolling-back" | "rolled-back":
            return "back", len(rollout.stages)
        case _:
            return "forward", 0


def _places(rollout: Rollout, glances: Iterable[Glance]) -> dict[int, int]:
    """How many more of each stage may be in flight."""
    in_flight = Counter(glance.stage for glance in glances if glance.state in IN_FLIGHT)
    return {index: stage.max_concurrency - in_flight[index] for index, stage in enumerate(rollout.stages)}
