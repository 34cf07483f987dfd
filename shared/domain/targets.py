"""What a target's observation and the clock make of it."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.observations import COMPLIANT, MISSING, NON_COMPLIANT, SUSPENDED, Observation
from shared.domain.revisions import contains_commit
from shared.domain.rollouts import Rules, Target

#: An update waits in Azure for an offline cluster for 48 hours at most, then it must be asked for again
#: (learn.microsoft.com, Arc GitOps: x-ms-async-operation-timeout PT48H).
ARM_KEEPS_UPDATE = timedelta(hours=48)
#: Resource Graph is eventually consistent: what it does not show for so long is gone.
_MISSING_FOR = timedelta(minutes=10)


def judge(target: Target, revision: str, rules: Rules, now: datetime) -> Target:
    """The target in the state that its newest observation and `now` put it in; the same object when nothing changes."""
    match target.state:
        case "queued":
            return _judge_queued(target, rules, now)
        case "applied":
            return _judge_applied(target, revision, rules, now)
        case "offline":
            return _judge_offline(target, revision, rules, now)
        case _:
            return target


def _judge_queued(target: Target, rules: Rules, now: datetime) -> Target:
    rejection = target.rejection
    if rejection is not None:
        reason = f"{rejection.code}: {rejection.message}" if rejection.message else rejection.code
        return replace(target, state="skipped" if rejection.missing else "failed", reason=reason)
    if target.slot and now > target.slot + timedelta(seconds=rules.redispatch_after_seconds):
        # Its message is lost, or its instance died: it goes back in line, and the next dispatch makes the old message a duplicate.
        return replace(target, state="pending", slot=None)
    return target


def _judge_applied(target: Target, revision: str, rules: Rules, now: datetime) -> Target:
    observed, applied_at = target.observation, target.applied_at or now
    if observed and observed.observed_at >= applied_at and observed.compliance in (MISSING, SUSPENDED):
        return _judge_out_of_reach(target, observed, now)
    if _is_reached(observed, revision, applied_at):
        return replace(target, state="compliant", reason="", failing_since=None)
    if observed and observed.is_away and observed.observed_at >= applied_at:
        return replace(target, state="offline", reason=f"cluster is {observed.connectivity}", failing_since=None)
    if _is_failing(target, observed, revision, applied_at):
        return _judge_failing(target, observed, rules, now)
    if now > applied_at + timedelta(seconds=rules.compliance_within_seconds):
        return replace(target, state="failed", reason=_timeout_reason(rules, observed))
    return replace(target, failing_since=None) if target.failing_since else target


def _judge_failing(target: Target, observed: Observation | None, rules: Rules, now: datetime) -> Target:
    since = target.failing_since or now
    if now >= since + timedelta(seconds=rules.grace_seconds):
        return replace(target, state="failed", reason=(observed.message if observed else "") or NON_COMPLIANT, failing_since=since)
    return target if target.failing_since else replace(target, failing_since=since)


def _judge_offline(target: Target, revision: str, rules: Rules, now: datetime) -> Target:
    """A cluster that is back goes on where it was; one whose update Azure no longer keeps gets it anew."""
    observed, applied_at = target.observation, target.applied_at or now
    if observed is None or observed.is_away:
        return target
    if observed.compliance in (MISSING, SUSPENDED):
        return _judge_out_of_reach(target, observed, now)
    if _is_reached(observed, revision, applied_at):
        return replace(target, state="compliant", reason="")
    if now > (target.accepted_at or applied_at) + ARM_KEEPS_UPDATE:
        return replace(target, state="pending", reason="", slot=None)
    # Judged on at once: a cluster whose clock is ahead may have reported a failure from after this moment.
    return _judge_applied(replace(target, state="applied", reason="", applied_at=now), revision, rules, now)


def _judge_out_of_reach(target: Target, observed: Observation, now: datetime) -> Target:
    """Suspended by someone, or deleted: no failure of the commit. One look may miss what is there, so deleted takes several."""
    if observed.compliance == SUSPENDED:
        return replace(target, state="skipped", reason="suspended: Flux does not apply anything", failing_since=None)
    since = target.failing_since or now
    if now >= since + _MISSING_FOR:
        return replace(target, state="skipped", reason="no longer in Azure", failing_since=None)
    return target if target.failing_since else replace(target, failing_since=since)


def _is_reached(observed: Observation | None, revision: str, applied_at: datetime) -> bool:
    return (
        observed is not None
        and observed.compliance == COMPLIANT
        and observed.observed_at >= applied_at
        and contains_commit(observed.revision, revision)
    )


def _is_failing(target: Target, observed: Observation | None, revision: str, applied_at: datetime) -> bool:
    """Non-Compliant because of what we asked, as far as can be known.

    A report from before the update says nothing about it. Nor does one from a cluster that was failing already and has not
    fetched the asked commit yet: the agent polls, and until it does the old failure is all that it has to tell.
    """
    if observed is None or observed.compliance != NON_COMPLIANT or observed.reported_at is None or observed.reported_at < applied_at:
        return False
    failed_before = target.before is not None and target.before.compliance == NON_COMPLIANT
    return contains_commit(observed.revision, revision) or not failed_before


def _timeout_reason(rules: Rules, observed: Observation | None) -> str:
    seen = f"last seen {observed.compliance or 'Unknown'} at {observed.revision or 'no revision'}" if observed else "never seen"
    return f"not compliant within {rules.compliance_within_seconds:g} s ({seen})"
