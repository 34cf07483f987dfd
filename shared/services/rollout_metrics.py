"""What is measured of rollouts, from what a step and the sweep have read anyway."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import get_args

from shared.domain.advance import Decision
from shared.domain.rollouts import FINISHED, Rollout, RolloutState, TargetState
from shared.metrics import ENDED, ROLLOUTS, STARTED, TARGETS, gauge, seconds

_ACTIVE: tuple[RolloutState, ...] = tuple(state for state in get_args(RolloutState) if state not in FINISHED)
#: States of a target that something was asked of.
_ASKED: frozenset[TargetState] = frozenset({"queued", "applied", "compliant", "rolled-back", "failed"})


def measure_active(rollouts: Iterable[Rollout]) -> None:
    """Every state is told, also that nothing is in it: a gauge keeps what it was told last."""
    active = [rollout for rollout in rollouts if rollout.state in _ACTIVE]
    states = Counter(rollout.state for rollout in active)
    for state in _ACTIVE:
        gauge(ROLLOUTS, states[state], state=state)
    targets: Counter[str] = Counter()
    for rollout in active:
        targets += _counts(rollout)
    for each in get_args(TargetState):
        gauge(TARGETS, targets[each], state=each)


def measure_step(before: Rollout, decision: Decision, now: datetime) -> None:
    """Of a step that was saved, so that each rollout is measured once. An instance that dies here measures nothing."""
    after = decision.rollout
    pushed_at = before.pushed_at or before.created_at
    slots = [target.slot for target in decision.dispatch if target.slot]
    if slots and not _ASKED & _counts(before).keys():
        seconds(STARTED, (min(slots) - pushed_at).total_seconds(), route=after.route)
    if before.state not in FINISHED and after.state in FINISHED:
        seconds(ENDED, (now - pushed_at).total_seconds(), route=after.route, state=after.state)


def _counts(rollout: Rollout) -> Counter[str]:
    """The targets of all stages by state, without states that have none."""
    counts: Counter[str] = Counter()
    for stage in rollout.stages:
        counts += Counter(stage.counts)
    return counts
