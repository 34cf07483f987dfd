"""Going back: each target to its own previous revision."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from shared.domain.crowd import turns_back
from shared.domain.rollouts import IN_FLIGHT, Glance, Rollout, Target


def begin(rollout: Rollout, stages: tuple[int, ...], reason: str, now: datetime) -> Rollout:
    """The rollout on its way back in `stages`. What has not started anywhere does not start any more."""
    names = ", ".join(rollout.stages[index].name for index in stages)
    begun = replace(rollout, state="rolling-back", reason=reason, back_stages=stages, waiting_for="")
    return begun.with_event("rollout.rolling-back", now, f"{reason}; stages {names} go back", error=True)


def turn_back(target: Target) -> Target:
    """A target that begins its way back, or is done with it at once because nothing was changed or nothing is known."""
    if target.dispatch == 0:
        return replace(target, goal="back", state="skipped", reason="rolled back before its turn", has_news=False, judge_at=None)
    if target.state == "failed" and target.accepted_at is None and target.rejection is not None:
        return replace(target, goal="back", has_news=False)  # Azure never took it, so there is nothing to undo
    turned = replace(
        target,
        goal="back",
        state="pending",
        reason="",
        slot=None,
        applied_at=None,
        accepted_at=None,
        failing_since=None,
        away="",
        rejection=None,
        has_news=False,
        judge_at=None,
    )
    if target.previous is None:
        return replace(turned, state="failed", reason="no earlier good revision is known: move it by hand or by a new commit")
    return turned


def end(rollout: Rollout, glances: Iterable[Glance], now: datetime) -> Rollout:
    """The rollout is rolled back once nothing is left to turn round, to send or to wait for; offline clusters catch up later."""
    glances = list(glances)
    if any(turns_back(g, rollout) or g.state in IN_FLIGHT or (g.goal == "back" and g.state == "pending") for g in glances):
        return rollout
    counts = [sum(stage.counts.get(state, 0) for stage in rollout.stages) for state in ("rolled-back", "failed", "offline")]
    summary = "{} clusters are back at their previous revision, {} failed, {} offline".format(*counts)
    return replace(rollout, state="rolled-back").with_event("rollout.rolled-back", now, summary, key=str(rollout.retries), error=True)
