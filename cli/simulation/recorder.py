"""Writes down what happens while a simulation runs."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from cli.simulation.report import STATES, Moment, Pause
from shared.domain.rollouts import Rollout, Target

#: How closely the series follows: more moments than a chart is wide show no more.
_MOMENTS, _MOMENTS_AFTER = 240, 60
_SAME = 1e-6  #: seconds

Change = tuple[float, str, str]  #: when, from which state ("" for a new target), to which


class Recorder:
    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._changes: list[Change] = []
        self._offline: dict[int, int] = {}
        self.most_offline: dict[int, int] = {}
        self.pauses: list[tuple[float, float | None]] = []

    def on_target(self, before: str, target: Target) -> None:
        self._changes.append((self._seconds(), before, target.state))
        away = self._offline.get(target.stage, 0) + (target.state == "offline") - (before == "offline")
        self._offline[target.stage] = away
        self.most_offline[target.stage] = max(away, self.most_offline.get(target.stage, 0))

    def on_rollout(self, rollout: Rollout) -> None:
        is_paused = bool(self.pauses) and self.pauses[-1][1] is None
        if rollout.state == "paused" and not is_paused:
            self.pauses.append((self._seconds(), None))
        elif rollout.state != "paused" and is_paused:
            self.pauses[-1] = self.pauses[-1][0], self._seconds()

    def series(self, begin: float, until: float) -> tuple[Moment, ...]:
        return series(self._changes, begin, until)

    def pauses_since(self, begin: float) -> tuple[Pause, ...]:
        return tuple(Pause(begin=start - begin, end=None if end is None else end - begin) for start, end in self.pauses)


def series(changes: Sequence[Change], begin: float, until: float) -> tuple[Moment, ...]:
    """How many targets were in each state: at even steps from `begin` to `until`, and then more rarely to the last change."""
    if not changes:
        return ()
    end = max(until, changes[-1][0])
    steps = [begin + (until - begin) * number / _MOMENTS for number in range(_MOMENTS)]
    steps += [until + (end - until) * number / _MOMENTS_AFTER for number in range(_MOMENTS_AFTER + 1)]
    counts: Counter[str] = Counter()
    moments, left = [], iter([*changes, (math.inf, "", "")])
    change = next(left)
    for at in sorted(set(steps)):
        while change[0] <= at + _SAME:
            counts[_shown(change[1])] -= 1
            counts[_shown(change[2])] += 1
            change = next(left)
        moments.append(Moment(at=round(at - begin, 3), counts={state: counts[state] for state in STATES}))
    return tuple(moments)


def _shown(state: str) -> str:
    """What has ended otherwise is shown as failed, but for a rollback that came to its end."""
    if state in STATES or not state:
        return state
    return "compliant" if state == "rolled-back" else "failed"


def since(begin: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else round((moment - begin).total_seconds(), 3)
