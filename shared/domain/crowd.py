"""A rollout's targets as they are seen at a glance: which of them matter now, and how they are counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from shared.domain.record import Record
from shared.domain.rollouts import FINAL, FINISHED, GIVEN_UP, OPEN, Glance, Rollout, RolloutState, Stage, TargetState

#: What a rollback turns round: everything that a PATCH may have reached. Skipped and superseded ones are in other hands.
_TURNED_BACK: frozenset[TargetState] = frozenset({*OPEN, "compliant", "failed"})
_OPEN_OR_FAILED: frozenset[TargetState] = frozenset({*OPEN, "failed"})
_TRIES_AGAIN: frozenset[RolloutState] = frozenset({"running", "succeeded", "rolling-back"})


class Scope(Record, frozen=True):
    """Which targets a step must see: all of `stage`, and of earlier ones those in `states`."""

    stage: int
    states: frozenset[TargetState]

    def covers(self, stage: int, state: str) -> bool:
        return stage == self.stage or (stage < self.stage and state in self.states)


def scope(rollout: Rollout) -> Scope:
    if rollout.state == "rolling-back":
        return Scope(stage=len(rollout.stages), states=OPEN | FINAL)
    states = _OPEN_OR_FAILED if rollout.retries and rollout.state in _TRIES_AGAIN else OPEN
    return Scope(stage=len(rollout.stages) if rollout.state in FINISHED else rollout.current, states=states)


def is_due(glance: Glance, rollout: Rollout, now: datetime) -> bool:
    """Whether opening a target now would change it."""
    if rollout.state in GIVEN_UP:
        return glance.state in OPEN
    if turns_back(glance, rollout) or tries_again(glance, rollout):
        return True
    return glance.has_news or (glance.judge_at is not None and now >= glance.judge_at)


def turns_back(glance: Glance, rollout: Rollout) -> bool:
    """Whether a rollback still has to turn it round. What has not begun anywhere does not begin any more; nor, once all else is
    rolled back, does what was away for so long that Azure dropped its update.
    """
    if rollout.state not in ("rolling-back", "rolled-back") or glance.goal == "back":
        return False
    return glance.state == "pending" or (glance.stage in rollout.back_stages and glance.state in _TURNED_BACK)


def tries_again(glance: Glance, rollout: Rollout) -> bool:
    """Whether someone has asked to try it again since it failed. Of a rollback only what did not get back."""
    if glance.state != "failed" or glance.retry >= rollout.retries or rollout.state not in _TRIES_AGAIN:
        return False
    return glance.goal == "back" or rollout.state != "rolling-back"


def closed_stages(rollout: Rollout) -> int:
    """How many stages are over: their targets may only catch up."""
    return len(rollout.stages) if rollout.state in FINISHED else rollout.current


def recount(rollout: Rollout, covered: Scope, before: Mapping[str, Glance], after: Mapping[str, Glance]) -> Rollout:
    """The rollout with its stages' counts: open targets as the glance shows them, final ones as counted so far and changed now.

    `covered` is what the glances show; stages beyond it keep their counts.
    """
    open_now = _by_stage((g.stage, g.state) for g in after.values() if g.state in OPEN)
    ended = _by_stage((g.stage, g.state) for key, g in after.items() if g.state in FINAL and g.state != before[key].state)
    resumed = _by_stage((g.stage, g.state) for key, g in before.items() if g.state in FINAL and g.state != after[key].state)
    stages = tuple(
        stage if index > covered.stage else _counted(stage, *(part.get(index, Counter()) for part in (open_now, ended, resumed)))
        for index, stage in enumerate(rollout.stages)
    )
    return replace(rollout, stages=stages)


def _by_stage(pairs: Iterable[tuple[int, str]]) -> dict[int, Counter[str]]:
    counted: dict[int, Counter[str]] = {}
    for stage, state in pairs:
        counted.setdefault(stage, Counter())[state] += 1
    return counted


def _counted(stage: Stage, open_now: Counter[str], ended: Counter[str], resumed: Counter[str]) -> Stage:
    counts: Counter[str] = Counter()
    counts.update({state: n for state, n in stage.counts.items() if state in FINAL})
    for more in (open_now, ended):
        counts.update(more)
    counts.subtract(resumed)
    return replace(stage, counts={state: n for state, n in sorted(counts.items()) if n})
