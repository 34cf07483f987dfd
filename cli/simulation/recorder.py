"""Writes down what happens while a simulation runs."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from cli.simulation.report import STATES, Moment, Pause
from shared.domain.rollouts import Rollout, Target

#: How closely the series follows: more moments than a chart is wide show no more.
_MOMENTS = 240


class Recorder:
    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._changes: list[tuple[float, str, str]] = []
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

    def series(self, begin: float) -> tuple[Moment, ...]:
        return series(self._changes, begin)

    def pauses_since(self, begin: float) -> tuple[Pause, ...]:
        return tuple(Pause(begin=start - begin, end=None if end is None else end - begin) for start, end in self.pauses)


def series(changes: list[tuple[float, str, str]], begin: float) -> tuple[Moment, ...]:
    """How many targets were in each state, at even steps from `begin` to the last change. What ended otherwise counts as failed."""
    if not changes:
        return ()
    end = changes[-1][0]
    counts: Counter[str] = Counter()
    moments, done = [], 0
    times = [change[0] for change in changes]
    for number in range(_MOMENTS + 1):
        at = begin + (end - begin) * number / _MOMENTS
        upto = bisect_right(times, at + 1e-9) if number < _MOMENTS else len(changes)
        for _, before, after in changes[done:upto]:
            counts[_shown(before)] -= 1
            counts[_shown(after)] += 1
        done = upto
        moments.append(Moment(at=round(at - begin, 3), counts={state: counts[state] for state in STATES}))
    return tuple(moments)


def _shown(state: str) -> str:
    return state if state in STATES or not state else "compliant" if state == "rolled-back" else "failed"


def since(begin: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else round((moment - begin).total_seconds(), 3)
