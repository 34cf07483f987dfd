"""Going back: each target to its own previous revision."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from shared.domain.crowd import tries_again, turns_back
from shared.domain.rollouts import IN_FLIGHT, Glance, Rollout, Target
from shared.domain.targets import anew


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
    return in_line(replace(target, goal="back", accepted_at=None))


def in_line(target: Target) -> Target:
    """A target that is to be written, as far as it is known with what."""
    if target.asked is None:
        return replace(anew(target), state="failed", reason="no earlier good revision is known: move it by hand or by a new commit")
    return anew(target)


def end(rollout: Rollout, glances: Iterable[Glance], now: datetime) -> Rollout:
    """The rollout is rolled back once nothing is left to turn round, to send or to wait for; offline clusters catch up later."""
    if any(_is_on_its_way(glance, rollout) for glance in glances):
        return rollout
    counts = [sum(stage.counts.get(state, 0) for stage in rollout.stages) for state in ("rolled-back", "failed", "offline")]
    summary = "{} clusters are back at their previous revision, {} failed, {} offline".format(*counts)
    return replace(rollout, state="rolled-back").with_event("rollout.rolled-back", now, summary, key=str(rollout.retries), error=True)


def _is_on_its_way(glance: Glance, rollout: Rollout) -> bool:
    return glance.state == "pending" or glance.state in IN_FLIGHT or turns_back(glance, rollout) or tries_again(glance, rollout)
