"""The least time in which any controller could do a rollout: computed here by rules of its own, to measure Sluice against.

What it includes, because nobody can do without: ARM's bucket of 200 writes and 10 a second for each subscription, full at the
beginning, and used to the last token; ARM's own time for each PATCH; each cluster's own times, those away included; that nobody knows
what a cluster did before the next sweep of Resource Graph has been answered; and what the strategy asks for: stages one after the
other, places (maxConcurrency), grace, bake time, waits, gates. Clusters of a stage start in the order of their names, as far as
their subscriptions' buckets allow: which of them will be slow is known to nobody beforehand.

What it does not: any time for decisions, queues, messages, timers' delays and the database; windows; pauses. So a rollout that was
paused, or whose strategy has windows, has no theoretical time.
"""

import heapq
import math
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple

BURST, PER_SECOND = 200, 10.0


class Cluster(NamedTuple):
    """One cluster's own times, in seconds on the same clock as everything here."""

    subscription: str
    arm_seconds: float  #: for its PATCH
    poll_period: float
    poll_phase: float
    work_seconds: float  #: from the poll that finds the new commit to the report
    lag_seconds: float  #: until Resource Graph shows the report
    fails: bool = False
    back_at: float = 0.0  #: away until then

    def shown_at(self, written_at: float) -> float:
        from_when = max(written_at, self.back_at)
        if self.poll_period <= 0:
            return from_when + self.work_seconds + self.lag_seconds
        polls = max(0, math.ceil((from_when - self.poll_phase) / self.poll_period))
        return self.poll_phase + polls * self.poll_period + self.work_seconds + self.lag_seconds


class StagePlan(NamedTuple):
    clusters: Sequence[Cluster]  #: in order
    places: int
    grace_seconds: float = 0.0
    within_seconds: float = math.inf  #: complianceWithin
    bake_seconds: float = 0.0
    wait_seconds: float = 0.0  #: before the next stage
    gate_seconds: float = 0.0  #: until everyone has said yes, counted from the end of the stage before


class StageTimes(NamedTuple):
    opened: float
    last_write: float
    closed: float


class Sweeps(NamedTuple):
    """When the fleet is looked at: at whole multiples of `period`, answered after `answer_seconds`. A period of 0: always."""

    period: float
    answer_seconds: float = 0.0

    def knows(self, moment: float) -> float:
        """When what is to be seen from `moment` on is known."""
        look = math.ceil(moment / self.period - 1e-9) * self.period if self.period else moment
        return look + self.answer_seconds

    def seen(self, known: float) -> float:
        """As of when that is, which is known at `known`."""
        return known - self.answer_seconds


class _Bucket:
    """ARM's: the moment of its newest write, and what was in it then."""

    def __init__(self, begin: float) -> None:
        self._tokens, self._at = float(BURST), begin

    def free_at(self, moment: float) -> float:
        tokens = min(BURST, self._tokens + max(0.0, moment - self._at) * PER_SECOND)
        return moment if tokens >= 1 - 1e-9 else moment + (1 - tokens) / PER_SECOND

    def take(self, moment: float) -> None:
        self._tokens = min(BURST, self._tokens + max(0.0, moment - self._at) * PER_SECOND) - 1
        self._at = moment


def least_times(stages: Sequence[StagePlan], sweeps: Sweeps, begin: float) -> list[StageTimes]:
    """When each stage could have opened, have had its last write accepted, and have closed."""
    buckets: dict[str, _Bucket] = defaultdict(lambda: _Bucket(begin))
    ready, wait, times = begin, 0.0, []
    for stage in stages:
        opened = ready + (max(wait, stage.gate_seconds) if stage.clusters else wait)
        last_write, done = _run(stage, sweeps, buckets, opened)
        times.append(StageTimes(opened, last_write, done + stage.bake_seconds))
        ready, wait = times[-1].closed, stage.wait_seconds
    return times


def _run(stage: StagePlan, sweeps: Sweeps, buckets: dict[str, _Bucket], opened: float) -> tuple[float, float]:
    """When the last write was accepted, and when it is known that nobody is at work any more."""
    waiting: dict[str, deque[tuple[int, Cluster]]] = defaultdict(deque)
    for number, cluster in enumerate(stage.clusters):
        waiting[cluster.subscription].append((number, cluster))
    changes: list[tuple[float, int]] = []  # at a moment so many more clusters are known to be at work, or fewer
    now, last_write, at_work = opened, opened, 0
    while waiting or changes:
        start = _next_start(waiting, buckets, now) if at_work < stage.places else None
        if start is None or (changes and changes[0][0] <= start[0]):
            now, more = heapq.heappop(changes)
            at_work += more
            while changes and changes[0][0] == now:
                at_work += heapq.heappop(changes)[1]
            if not waiting and not at_work:
                break
            continue
        now, subscription = start[0], start[2]
        cluster = waiting[subscription].popleft()[1]
        if not waiting[subscription]:
            del waiting[subscription]
        buckets[subscription].take(now)
        written = now + cluster.arm_seconds
        last_write, at_work = max(last_write, written), at_work + 1
        for change in _changes(cluster, stage, sweeps, now, written):
            heapq.heappush(changes, change)
    return last_write, now


def _next_start(waiting: dict[str, deque[tuple[int, Cluster]]], buckets: dict[str, _Bucket], now: float) -> tuple[float, int, str] | None:
    """The earliest moment at which some subscription takes a write, the first cluster in order where there are several."""
    return min(((buckets[name].free_at(now), line[0][0], name) for name, line in waiting.items()), default=None)


def _changes(cluster: Cluster, stage: StagePlan, sweeps: Sweeps, started: float, written: float) -> list[tuple[float, int]]:
    """When a cluster that takes a place at `started` gives it back; one that is away then takes it again when it is seen to be back."""
    first_look = sweeps.knows(started)
    if sweeps.seen(first_look) >= cluster.back_at:
        return [(_settled(cluster, stage, sweeps, written, since=started), -1)]
    back = sweeps.knows(cluster.back_at)
    settled = _settled(cluster, stage, sweeps, written, since=back)
    return [(first_look, -1), (back, 1), (settled, -1)] if settled > back else [(first_look, -1)]


def _settled(cluster: Cluster, stage: StagePlan, sweeps: Sweeps, written: float, *, since: float) -> float:
    """When it is known to be compliant, or counts as failed."""
    known = sweeps.knows(cluster.shown_at(written))
    return min(known + stage.grace_seconds if cluster.fails else known, since + stage.within_seconds)
