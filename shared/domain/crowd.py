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
_GOES_BACK: frozenset[RolloutState] = frozenset({"rolling-back", "rolled-back"})
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
    if glance.has_news or (glance.judge_at is not None and now >= glance.judge_at):
        return True
    return turns_back(glance, rollout) or tries_again(glance, rollout)


def turns_back(glance: Glance, rollout: Rollout) -> bool:
    """Whether a rollback still has to turn it round. What has not begun anywhere does not begin any more; nor, once all else is
    rolled back, does what was away for so long that Azure dropped its update.
    """
    if glance.goal == "back" or rollout.state not in _GOES_BACK:
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


def recount(rollout: Rollout, covered: Scope, glances: Iterable[Glance]) -> Rollout:
    """The rollout with its stages' counts: open targets as the glances show them, final ones as counted so far.

    `covered` is what the glances show; stages beyond it keep their counts.
    """
    seen = Counter((glance.stage, glance.state) for glance in glances if glance.state in OPEN)
    counts = [stage.counts if index > covered.stage else _final(stage) for index, stage in enumerate(rollout.stages)]
    for (index, state), count in seen.items():
        counts[index] = {**counts[index], state: count}
    return _counted(rollout, counts)


def shift(rollout: Rollout, moves: Iterable[tuple[Glance, Glance]]) -> Rollout:
    """The rollout with its counts after targets went from one state to another."""
    counts = [Counter(stage.counts) for stage in rollout.stages]
    for before, after in moves:
        counts[before.stage][before.state] -= 1
        counts[after.stage][after.state] += 1
    return _counted(rollout, counts)


def _final(stage: Stage) -> dict[str, int]:
    return {state: count for state, count in stage.counts.items() if state in FINAL}


def _counted(rollout: Rollout, counts: Iterable[Mapping[str, int]]) -> Rollout:
    ordered = [{state: count for state, count in sorted(each.items()) if count} for each in counts]
    return replace(rollout, stages=tuple(replace(stage, counts=each) for stage, each in zip(rollout.stages, ordered, strict=True)))
