"""How a rollout moves: one pure function over the rollout, a glance at its targets, those of them that were opened, and the time.

A step is small: it changes as many targets as one transaction holds, so that rollout, targets and counts are always of one piece,
and says whether there is more to do at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain import opening, rollback
from shared.domain.crowd import closed_stages, is_due, recount, scope, shift, tries_again, turns_back
from shared.domain.facts import Facts
from shared.domain.picking import in_line, may_start, open_calendars, pick
from shared.domain.record import Record
from shared.domain.rollouts import FINAL, FINISHED, GIVEN_UP, IN_FLIGHT, OPEN, Glance, Rollout, Stage, Target
from shared.domain.targets import anew, judge, scheduled
from shared.domain.windows import opens_at

#: Targets that one step changes. Cosmos DB's transactional batch holds 100 operations and 2 MB, and one is the rollout's own
#: (learn.microsoft.com, transactional batch operations).
MOST_CHANGES = 90
_NAMED = 5  #: clusters that a summary names
#: What time does to a target later than this, a sweep finds: no message waits for it.
SOON = timedelta(minutes=2)
#: How soon to look again for room in the pace: well before what is queued already has been written.
_ROOM_AGAIN_AFTER = timedelta(seconds=15)


class Decision(Record, frozen=True):
    """What `advance` decided. Save `rollout` and `changed` in one transaction; then send an update for each of `dispatch`, and a call
    for each of `calls`.
    """

    rollout: Rollout
    changed: tuple[Target, ...]
    dispatch: tuple[Target, ...]  #: those of `changed` that are queued by this decision, in order; the caller reserves their slots
    calls: tuple[str, ...]  #: names of the current stage's gates that must be called
    is_unfinished: bool  #: there is more to do now
    wake_at: datetime | None  #: when time alone will change something
    ended: tuple[str, ...] = ()  #: those of `changed` that came to an end with this decision


def to_open(rollout: Rollout, glances: Sequence[Glance], facts: Facts, now: datetime) -> list[str]:
    """Ids of the targets that `advance` must be given whole: those that change now, and those that may start."""
    due = [glance.id for glance in glances if is_due(glance, rollout, now)][:MOST_CHANGES]
    return due + [key for key in pick(rollout, glances, facts, now, most=MOST_CHANGES - len(due)) if key not in due]


def advance(rollout: Rollout, glances: Sequence[Glance], opened: Iterable[Target], facts: Facts, now: datetime) -> Decision:
    """Moves a rollout as far as one step goes.

    `glances` are those that `crowd.scope` covers, `opened` those that `to_open` names. Calling it again with the result changes
    nothing, so a message that arrives twice is harmless.
    """
    given = {target.id: target for target in opened}
    before = {glance.id: glance for glance in glances}
    judged = {key: _change(target, rollout, now) for key, target in given.items()}
    after = before | {key: Glance.at(target) for key, target in judged.items()}
    counted = shift(recount(rollout, scope(rollout), glances), [(before[key], after[key]) for key in judged])
    moved = _move(_tell_late_failures(counted, given, judged, now), after, facts, now)
    startable = [glance for key, glance in after.items() if key in given or glance.state != "pending"]
    queued = {key: _queue(judged[key]) for key in pick(moved, startable, facts, now, most=len(given))}
    started = after | {key: Glance.at(target) for key, target in queued.items()}
    moved = _explain(shift(moved, [(after[key], started[key]) for key in queued]), started, now)
    return _decide(rollout, moved, given, judged | queued, started, _less(facts, queued.values()), now)


def is_settled(rollout: Rollout) -> bool:
    """Whether nothing can happen to it any more: finished, and no offline cluster is still awaited."""
    return rollout.state in FINISHED and not any(stage.counts.get(state) for stage in rollout.stages for state in OPEN)


def supersede(rollout: Rollout, by: str, now: datetime) -> Rollout:
    """The rollout gives way to a newer one, and waits for offline clusters no longer. One that is settled stays as it is."""
    if rollout.state in GIVEN_UP or is_settled(rollout):
        return rollout
    reason = "a newer push took its place"
    return replace(rollout, state="superseded", superseded_by=by, reason=reason, waiting_for="", updated_at=now)


def _change(target: Target, rollout: Rollout, now: datetime) -> Target:
    """A target that fails now is not among those that someone has asked to try again before."""
    changed = _changed(target, rollout, now)
    return replace(changed, retry=rollout.retries, has_failed=True) if changed.state == "failed" != target.state else changed


def _changed(target: Target, rollout: Rollout, now: datetime) -> Target:
    glance, stage = Glance.at(target), rollout.stages[target.stage]
    if rollout.state in GIVEN_UP:
        return _let_go(target, rollout)
    if turns_back(glance, rollout):
        return rollback.turn_back(target)
    if tries_again(glance, rollout):
        return replace(rollback.in_line(target), retry=rollout.retries)
    return judge(target, stage.rules, now, baking=stage.is_baking and target.stage == rollout.current)


def _let_go(target: Target, rollout: Rollout) -> Target:
    state = "superseded" if rollout.state == "superseded" else "skipped"
    return replace(target, state=state, reason=rollout.reason, away="", has_news=False, judge_at=None)


def _queue(target: Target) -> Target:
    """Without its slot: who sends the update reserves it."""
    return replace(anew(target), state="queued", dispatch=target.dispatch + 1)


def _move(rollout: Rollout, after: Mapping[str, Glance], facts: Facts, now: datetime) -> Rollout:
    if rollout.state in GIVEN_UP:
        return rollout.with_event(f"rollout.{rollout.state}", now, rollout.reason, error=rollout.state == "aborted")
    if rollout.state == "rolling-back":
        return rollback.end(rollout, after.values(), now)
    if rollout.state != "running":
        return rollout
    if rollout.stages[rollout.current].state == "pending":
        rollout = opening.open_stage(rollout, after.values(), facts, now)
        if rollout.state in GIVEN_UP or rollout.stages[rollout.current].state == "pending":
            return rollout
    return _run(rollout, after, now)


def _run(rollout: Rollout, after: Mapping[str, Glance], now: datetime) -> Rollout:
    stage = rollout.stages[rollout.current]
    current = [glance for glance in after.values() if glance.stage == rollout.current]
    if any(tries_again(glance, rollout) for glance in current):
        return rollout
    failed = stage.counts.get("failed", 0) - stage.forgiven
    if failed > stage.rules.max_failures:
        rollout = _fail(rollout, stage, failed, now)
        if rollout.state != "running":
            return rollout
    if any(g.state in IN_FLIGHT or g.state == "pending" for g in current):
        return rollout
    stage = rollout.stages[rollout.current]
    if stage.done_at is None and stage.bake_seconds:
        return rollout.with_stage(rollout.current, replace(stage, done_at=now))
    is_unsteady = any(g.state == "compliant" and (g.judge_at or g.has_news) for g in current)
    if stage.done_at and (is_unsteady or now < stage.done_at + timedelta(seconds=stage.bake_seconds)):
        return rollout
    return _complete(rollout, stage, current, now)


def _fail(rollout: Rollout, stage: Stage, failed: int, now: datetime) -> Rollout:
    """More failures than are tolerated: the strategy says what then."""
    reason = f"stage {stage.name}: {failed} clusters failed, {stage.rules.max_failures} tolerated"
    then = {"pause": "the rollout is paused", "rollback": "the rollout goes back", "continue": "the rollout goes on"}
    summary = f"{reason}; {then[stage.rules.on_failure]}"
    rollout = rollout.with_event("stage.failed", now, summary, key=_time_of_retry(rollout), stage=rollout.current, error=True)
    if stage.rules.on_failure == "continue":
        return rollout
    rollout = rollout.with_stage(rollout.current, replace(stage, state="failed"))
    if stage.rules.on_failure == "rollback":
        return rollback.begin(rollout, tuple(range(rollout.current + 1)), reason, now)
    return replace(rollout, state="paused", reason=reason, waiting_for="")


def _time_of_retry(rollout: Rollout) -> str:
    """A stage may fail again after someone has let it go on."""
    forgiven = rollout.stages[rollout.current].forgiven
    return f"{rollout.retries}-{forgiven}" if rollout.retries or forgiven else ""


def _complete(rollout: Rollout, stage: Stage, current: Iterable[Glance], now: datetime) -> Rollout:
    summary = f"stage {stage.name} done, {_in_words(stage, current)}"
    rollout = rollout.with_stage(rollout.current, replace(stage, state="succeeded", closed_at=now))
    has_failures = bool(stage.counts.get("failed"))
    rollout = rollout.with_event("stage.succeeded", now, summary, stage=rollout.current, error=has_failures)
    if rollout.current + 1 < len(rollout.stages):
        return replace(rollout, current=rollout.current + 1)
    return replace(rollout, state="succeeded", waiting_for="").with_event("rollout.succeeded", now, "all stages done")


def _in_words(stage: Stage, current: Iterable[Glance]) -> str:
    """Counts by state; of the clusters that are away also why: one that is Expired will not come back by itself."""
    away = Counter(glance.away for glance in current if glance.state == "offline" and glance.away)
    why = f" ({', '.join(f'{count} {word}' for word, count in sorted(away.items()))})" if set(away) - {"Offline"} else ""
    words = [f"{count} {state}{why if state == 'offline' else ''}" for state, count in sorted(stage.counts.items())]
    return ", ".join(words) or "no clusters"


def _tell_late_failures(rollout: Rollout, given: Mapping[str, Target], judged: Mapping[str, Target], now: datetime) -> Rollout:
    """Clusters that were away when their stage closed may fail when they are back: nobody is looking any more, so it is told."""
    for index in range(closed_stages(rollout) if rollout.state != "rolling-back" else 0):
        late = sorted(t.cluster for key, t in judged.items() if t.stage == index and t.state == "failed" != given[key].state)
        if late:
            stage = rollout.stages[index]
            named = f"{', '.join(late[:_NAMED])}{' and others' if len(late) > _NAMED else ''}"
            summary = f"{len(late)} failed after stage {stage.name} had closed: {named}"
            key = f"{rollout.retries}-{stage.counts['failed']}"
            rollout = rollout.with_event("target.failed", now, summary, key=key, stage=index, error=True)
    return rollout


def _explain(rollout: Rollout, after: Mapping[str, Glance], now: datetime) -> Rollout:
    """Clusters that may start but for their windows are waited for, where nothing else moves."""
    if rollout.state not in ("running", "succeeded") or rollout.stages[rollout.current].state == "pending":
        return rollout
    pending = {glance.calendar for glance in in_line(rollout, after.values())}
    is_idle = not any(g.state in IN_FLIGHT for g in after.values())
    closed = pending and is_idle and not pending & open_calendars(rollout, now)
    reason = opening.window_text([opens_at(rollout.calendars[index], now) for index in pending]) if closed else ""
    return replace(rollout, waiting_for=reason)


def _less(facts: Facts, queued: Iterable[Target]) -> Facts:
    taken = Counter(target.subscription for target in queued)
    return replace(facts, room={name: room - taken[name] for name, room in facts.room.items()})


def _decide(
    before: Rollout,
    moved: Rollout,
    given: Mapping[str, Target],
    judged: Mapping[str, Target],
    after: Mapping[str, Glance],
    facts: Facts,
    now: datetime,
) -> Decision:
    changed = tuple(scheduled(t, moved.stages[t.stage].rules) for key, t in judged.items() if t != given[key])
    if moved != before:
        moved = replace(moved, updated_at=now)
    goes_on = moved.current != before.current or moved.state != before.state
    more = (changed or moved != before) and (goes_on or to_open(moved, list(after.values()), facts, now))
    return Decision(
        rollout=moved,
        changed=changed,
        dispatch=tuple(target for target in changed if target.state == "queued" and target.dispatch > given[target.id].dispatch),
        calls=opening.calls(moved, now),
        is_unfinished=bool(more),
        wake_at=None if more else _wake_at(moved, after, facts, now),
        ended=tuple(target.id for target in changed if target.state in FINAL and target.state != given[target.id].state),
    )


def _wake_at(rollout: Rollout, after: Mapping[str, Glance], facts: Facts, now: datetime) -> datetime | None:
    """Updates whose messages are lost, and much that is hours away, the sweep finds: a wake is for what people wait for."""
    if rollout.state in GIVEN_UP:
        return None
    moments = [g.judge_at for g in after.values() if g.judge_at and g.judge_at <= now + SOON and g.state != "queued"]
    if rollout.state == "running":
        stage = rollout.stages[rollout.current]
        if stage.state == "pending":
            moments += opening.moments(rollout, after.values(), now)
        if stage.done_at:
            moments.append(stage.done_at + timedelta(seconds=stage.bake_seconds))
    waiting = in_line(rollout, after.values())
    queued = [glance for glance in after.values() if glance.state == "queued" and may_start(rollout, glance)]
    moments += filter(
        None, (opens_at(rollout.calendars[index], now) for index in {g.calendar for g in (*waiting, *queued) if g.goal == "forward"})
    )
    if any(facts.room.get(name, 1) <= 0 for name in {glance.subscription for glance in waiting}):
        moments.append(now + _ROOM_AGAIN_AFTER)
    return min((moment for moment in moments if moment > now), default=None)
