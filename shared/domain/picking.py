"""Which pending targets may start now: a place in their stage, an open window, and room in the pace."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from shared.domain.crowd import closed_stages
from shared.domain.facts import Facts
from shared.domain.rollouts import IN_FLIGHT, Glance, Rollout
from shared.domain.windows import is_open


def open_calendars(rollout: Rollout, now: datetime) -> frozenset[int]:
    """Indexes of the calendars by which targets may start now."""
    return frozenset(index for index, calendar in enumerate(rollout.calendars) if is_open(calendar, now))


def may_start(rollout: Rollout, glance: Glance) -> bool:
    """Whether the rollout sends updates to targets like this one at all."""
    match rollout.state:
        case "running" | "succeeded":
            open_until = closed_stages(rollout) + (rollout.state == "running" and rollout.stages[rollout.current].state == "running")
            return glance.goal == "forward" and glance.stage < open_until
        case "rolling-back" | "rolled-back":
            return glance.goal == "back"
        case _:
            return False


def pick(rollout: Rollout, glances: Iterable[Glance], facts: Facts, now: datetime, *, most: int) -> list[str]:
    """Ids of at most `most` targets to queue, in order. A rollback waits for no window, but for the pace and its stages' places."""
    glances = list(glances)
    pending = sorted((g for g in glances if g.state == "pending" and may_start(rollout, g)), key=lambda g: (g.stage, g.order))
    if not pending:
        return []
    places, room, calendars = _places(rollout, glances), dict(facts.room), open_calendars(rollout, now)
    picked: list[str] = []
    for glance in pending:
        if len(picked) == most:
            break
        is_in_time = glance.goal == "back" or glance.calendar in calendars
        if is_in_time and places[glance.stage] > 0 and room.get(glance.subscription, 1) > 0:
            places[glance.stage] -= 1
            if glance.subscription in room:
                room[glance.subscription] -= 1
            picked.append(glance.id)
    return picked


def _places(rollout: Rollout, glances: Iterable[Glance]) -> dict[int, int]:
    """How many more of each stage may be in flight."""
    in_flight = Counter(g.stage for g in glances if g.state in IN_FLIGHT)
    return {index: stage.max_concurrency - in_flight[index] for index, stage in enumerate(rollout.stages)}
