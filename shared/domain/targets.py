"""What a target's observation and the clock make of it."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.observations import COMPLIANT, MISSING, NON_COMPLIANT, SUSPENDED, Observation
from shared.domain.revisions import contains_commit, parse_revision
from shared.domain.rollouts import Rules, Target

#: An update waits in Azure for an offline cluster for 48 hours at most, then it must be asked for again
#: (learn.microsoft.com, Arc GitOps: x-ms-async-operation-timeout PT48H).
ARM_KEEPS_UPDATE = timedelta(hours=48)
#: Resource Graph is eventually consistent: what it does not show for so long is gone.
_MISSING_FOR = timedelta(minutes=10)


def judge(target: Target, rules: Rules, now: datetime, *, baking: bool = False) -> Target:
    """The target in the state that its newest observation and `now` put it in, its news taken note of.

    `baking`: its stage is done and must stay well, so a compliant target is looked at too. Judging the result again changes nothing.
    """
    return scheduled(replace(_judge(target, rules, now, baking=baking), has_news=False), rules)


def scheduled(target: Target, rules: Rules) -> Target:
    """The target with the moment at which it must be judged again. Whoever changes a target saves it so."""
    return replace(target, judge_at=due_at(target, rules))


def anew(target: Target) -> Target:
    """The target in line again, with nothing left of what became of it so far."""
    cleared = replace(_without_trouble(target), state="pending", slot=None, applied_at=None, rejection=None)
    return replace(cleared, has_news=False, judge_at=None)


def due_at(target: Target, rules: Rules) -> datetime | None:
    """When time alone changes a target; None where only news does."""
    grace = timedelta(seconds=rules.grace_seconds)
    match target.state:
        case "queued":
            return target.slot + timedelta(seconds=rules.redispatch_after_seconds) if target.slot else None
        case "applied":
            return _applied_until(target, rules, grace)
        case "offline" if target.missing_since:
            return target.missing_since + _MISSING_FOR
        case "compliant" if target.failing_since:
            return target.failing_since + grace
        case _:
            return None


def seems_new(target: Target, observation: Observation, rules: Rules, now: datetime, *, baking: bool) -> bool:
    """Whether this observation would change the target's state, or begins or ends a failure."""
    seen = replace(target, observation=observation)
    judged = _judge(seen, rules, now, baking=baking)
    return judged != seen


def _applied_until(target: Target, rules: Rules, grace: timedelta) -> datetime | None:
    if target.applied_at is None:
        return None
    if target.missing_since:
        return target.missing_since + _MISSING_FOR
    timeout = target.applied_at + timedelta(seconds=rules.compliance_within_seconds)
    return min(timeout, target.failing_since + grace) if target.failing_since else timeout


def _judge(target: Target, rules: Rules, now: datetime, *, baking: bool) -> Target:
    match target.state:
        case "queued":
            return _judge_queued(target, rules, now)
        case "applied" | "offline" if target.rejection is not None and target.rejection.overtaken:
            return replace(_without_trouble(target), state="superseded", reason=target.rejection.message)
        case "applied" | "offline" if _is_seen_as(SUSPENDED, target):
            return replace(_without_trouble(target), state="skipped", reason="suspended: Flux does not apply anything")
        case "applied" | "offline" if _is_seen_as(MISSING, target):
            return _judge_missing(target, now)
        case "applied":
            return _judge_applied(replace(target, missing_since=None), rules, now)
        case "offline":
            return _judge_offline(replace(target, missing_since=None), rules, now)
        case "compliant" if baking:
            return _judge_baking(target, rules, now)
        case _:
            return target


def _judge_queued(target: Target, rules: Rules, now: datetime) -> Target:
    rejection = target.rejection
    if rejection is not None:
        reason = f"{rejection.code}: {rejection.message}" if rejection.message else rejection.code
        if rejection.overtaken:
            return replace(target, state="superseded", reason=rejection.message)
        return replace(target, state="skipped" if rejection.missing else "failed", reason=reason)
    if target.slot and now >= target.slot + timedelta(seconds=rules.redispatch_after_seconds):
        # Its message is lost, or its instance died: it goes back in line, and the next dispatch makes the old message a duplicate.
        return anew(target)
    return target


def _judge_applied(target: Target, rules: Rules, now: datetime) -> Target:
    observed, applied_at = target.observation, target.applied_at or now
    if _is_reached(target, observed, applied_at):
        return _reached(target)
    if observed and observed.is_away and observed.observed_at >= applied_at:
        return _away(target, observed)
    failing = _is_failing(target, observed, applied_at)
    since = (target.failing_since or now) if failing else None
    if since and now >= since + timedelta(seconds=rules.grace_seconds):
        return replace(target, state="failed", reason=(observed.message if observed else "") or NON_COMPLIANT, failing_since=since)
    if now >= applied_at + timedelta(seconds=rules.compliance_within_seconds):
        return replace(target, state="failed", reason=_timeout_reason(target, rules), failing_since=since)
    return replace(target, failing_since=since)


def _judge_offline(target: Target, rules: Rules, now: datetime) -> Target:
    """A cluster that is back goes on where it was; one whose update Azure no longer keeps, or whom a call did not reach, gets it anew.

    One that comes and goes is not written to again for that: Azure keeps the update while it is away.
    """
    observed, applied_at = target.observation, target.applied_at or now
    if observed is None or observed.is_away:
        return replace(target, away=observed.connectivity, reason=_away_reason(observed)) if observed else target
    if _is_reached(target, observed, applied_at):
        return _reached(target)
    if target.receiver is not None or now > (target.accepted_at or applied_at) + ARM_KEEPS_UPDATE:
        return anew(target)
    # Judged on at once: a cluster whose clock is ahead may have reported a failure from after this moment.
    return _judge_applied(replace(target, state="applied", reason="", away="", applied_at=now, failing_since=None), rules, now)


def _judge_baking(target: Target, rules: Rules, now: datetime) -> Target:
    """A compliant target whose stage bakes: one that stops being well within the bake has failed after all."""
    observed = target.observation
    is_unwell = observed is not None and observed.compliance == NON_COMPLIANT and _is_asked(target, observed)
    since = (target.failing_since or now) if is_unwell else None
    if observed and since and now >= since + timedelta(seconds=rules.grace_seconds):
        return replace(target, state="failed", reason=f"did not stay well: {observed.message or NON_COMPLIANT}", failing_since=since)
    return replace(target, failing_since=since)


def _judge_missing(target: Target, now: datetime) -> Target:
    """Deleted is no failure of the commit. One look may miss what is there, so it takes several."""
    since = target.missing_since or now
    if now >= since + _MISSING_FOR:
        return replace(_without_trouble(target), state="skipped", reason="no longer in Azure")
    return replace(target, missing_since=since)


def _is_seen_as(compliance: str, target: Target) -> bool:
    """By a look since the update."""
    observed = target.observation
    if observed is None or observed.compliance != compliance:
        return False
    return target.applied_at is None or observed.observed_at >= target.applied_at


def _reached(target: Target) -> Target:
    return replace(_without_trouble(target), state="compliant" if target.goal == "forward" else "rolled-back")


def _without_trouble(target: Target) -> Target:
    return replace(target, reason="", away="", failing_since=None, missing_since=None)


def _away(target: Target, observed: Observation) -> Target:
    return replace(target, state="offline", reason=_away_reason(observed), away=observed.connectivity, failing_since=None)


def _away_reason(observed: Observation) -> str:
    return f"cluster is {observed.connectivity}"


def _is_asked(target: Target, observed: Observation) -> bool:
    asked = target.asked
    if asked is None:
        return False
    return contains_commit(observed.revision, asked.revision) if asked.since is None else _has_fetched(target, observed, asked.since)


def _has_fetched(target: Target, observed: Observation, since: datetime) -> bool:
    """Whether a bucket was fetched since it changed: by the time that Azure tells, else by another revision than planning found."""
    if observed.synced_at is not None:
        return observed.synced_at >= since
    return target.before is not None and parse_revision(observed.revision) not in (None, parse_revision(target.before.revision))


def _is_reached(target: Target, observed: Observation | None, applied_at: datetime) -> bool:
    return observed is not None and observed.compliance == COMPLIANT and observed.observed_at >= applied_at and _is_asked(target, observed)


def _is_failing(target: Target, observed: Observation | None, applied_at: datetime) -> bool:
    """Non-Compliant because of what we asked, as far as can be known.

    A report from before the update says nothing about it. Nor does one from a cluster that was failing already and has not
    fetched the asked commit yet: the agent polls, and until it does the old failure is all that it has to tell.
    """
    if observed is None or observed.compliance != NON_COMPLIANT or observed.reported_at is None or observed.reported_at < applied_at:
        return False
    failed_before = target.goal == "back" or (target.before is not None and target.before.compliance == NON_COMPLIANT)
    return _is_asked(target, observed) or not failed_before


def _timeout_reason(target: Target, rules: Rules) -> str:
    observed, trouble = target.observation, target.rejection
    uncalled = f"{trouble.message}; " if trouble else ""
    seen = f"last seen {observed.compliance or 'Unknown'} at {observed.revision or 'no revision'}" if observed else "never seen"
    return f"{uncalled}not compliant within {rules.compliance_within_seconds:g} s ({seen})"
