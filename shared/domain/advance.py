"""How a rollout moves: one pure function over the rollout, the targets that can still change, and the time."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.record import Record
from shared.domain.rollouts import FINISHED, IN_FLIGHT, OPEN, Rollout, RolloutEvent, RolloutState, Stage, Target, TargetState
from shared.domain.targets import judge

_NAMED = 5  #: clusters that a summary names
_MOVING: frozenset[RolloutState] = frozenset({"running", "paused"})


class Decision(Record, frozen=True):
    """What `advance` decided. Save `targets` (only the changed ones) and `rollout`; then send an update for each of `dispatch`."""

    rollout: Rollout
    targets: tuple[Target, ...]
    dispatch: tuple[Target, ...]  #: queued by this decision, in order; the caller reserves their slots
    wake_at: datetime | None  #: when time alone will change something soon; now or earlier means: advance again at once


def advance(rollout: Rollout, targets: Iterable[Target], now: datetime) -> Decision:
    """Moves a rollout as far as it can go now.

    `targets` are those of the current stage, and of earlier stages those that are still open (see `needs`). Calling it again with
    the result changes nothing, so a message that arrives twice is harmless.
    """
    given = {target.id: target for target in targets}
    if rollout.state in ("superseded", "aborted"):
        return _close_all(rollout, given, now)
    judged = {key: judge(target, rollout.revision, rollout.rules, now) for key, target in given.items()}
    moved = _note_late_failures(rollout, given, judged, now)
    queued = _catch_up(moved, judged) if moved.state in ("running", "succeeded") else ()
    if moved.state == "running":
        moved, opened = _run_stage(moved, judged, now)
        queued += opened
    judged |= {target.id: target for target in queued}
    return _decide(rollout, _tally(moved, judged, loaded_stage=rollout.current), given, judged, queued, now)


def needs(rollout: Rollout, stage: int, state: str) -> bool:
    """Whether `advance` must be given a target of that stage and state."""
    if rollout.state in ("superseded", "aborted"):
        return state in OPEN
    return stage == rollout.current or (stage < rollout.current and state in OPEN)


def accounts_for_all(rollout: Rollout, targets: Sequence[Target]) -> bool:
    """Whether the targets that `needs` names, together with the counts of those that were final, are all that there are.

    Where they are not, targets became final without their rollout being saved (a crash, or someone else was faster):
    `advance` must then be given the final ones too, to count them.
    """
    loaded = Counter(target.stage for target in targets)
    still_open = Counter(target.stage for target in targets if target.state in OPEN)
    return all(
        stage.total in (loaded[index], still_open[index] + sum(n for state, n in stage.counts.items() if state not in OPEN))
        for index, stage in enumerate(rollout.stages)
        if not _is_untouched(rollout, index)
    )


def is_settled(rollout: Rollout) -> bool:
    """Whether nothing can happen to it any more: finished, and no offline cluster is still awaited."""
    return rollout.state in FINISHED and not any(stage.counts.get(state) for stage in rollout.stages for state in OPEN)


def supersede(rollout: Rollout, by: str, now: datetime) -> Rollout:
    """The rollout gives way to a newer one, and waits for offline clusters no longer. One that is settled stays as it is."""
    if rollout.state in ("superseded", "aborted") or is_settled(rollout):
        return rollout
    return replace(rollout, state="superseded", superseded_by=by, reason="a newer push took its place", updated_at=now)


def _close_all(rollout: Rollout, given: dict[str, Target], now: datetime) -> Decision:
    closed = {key: replace(t, state="superseded", reason=rollout.reason) if t.state in OPEN else t for key, t in given.items()}
    moved = _with_event(rollout, f"rollout.{rollout.state}", now, rollout.reason)
    return _decide(rollout, _tally(moved, closed, loaded_stage=rollout.current), given, closed, (), now)


def _run_stage(rollout: Rollout, judged: dict[str, Target], now: datetime) -> tuple[Rollout, tuple[Target, ...]]:
    stage = rollout.stages[rollout.current]
    if stage.state == "pending":
        if now < _opens_at(rollout):
            return rollout, ()
        rollout = _open(rollout, now)
    current = sorted((t for t in judged.values() if t.stage == rollout.current), key=lambda t: t.order)
    failed = sum(t.state == "failed" for t in current)
    if failed > rollout.rules.max_failures:
        return _stop(rollout, failed, now), ()
    queued = _pick([t for t in current if t.state == "pending"], stage.max_concurrency - sum(t.state in IN_FLIGHT for t in current))
    if not queued and not any(t.state in IN_FLIGHT or t.state == "pending" for t in current):
        rollout = _complete(rollout, current, now)
    return rollout, queued


def _catch_up(rollout: Rollout, judged: dict[str, Target]) -> tuple[Target, ...]:
    """Targets of closed stages that need their update again: their clusters were away for longer than Azure keeps it."""
    late = [t for t in judged.values() if t.stage < _closed_stages(rollout) and t.state == "pending"]
    return _pick(late, len(late))


def _closed_stages(rollout: Rollout) -> int:
    return len(rollout.stages) if rollout.state == "succeeded" else rollout.current


def _pick(pending: Sequence[Target], room: int) -> tuple[Target, ...]:
    picked = sorted(pending, key=lambda t: (t.stage, t.order))[: max(room, 0)]
    return tuple(replace(t, state="queued", slot=None, applied_at=None, dispatch=t.dispatch + 1) for t in picked)


def _opens_at(rollout: Rollout) -> datetime:
    if rollout.current == 0:
        return rollout.created_at
    previous = rollout.stages[rollout.current - 1]
    return (previous.closed_at or rollout.updated_at) + timedelta(seconds=previous.after_wait_seconds)


def _open(rollout: Rollout, now: datetime) -> Rollout:
    stage = rollout.stages[rollout.current]
    if rollout.current == 0:
        rollout = _with_event(rollout, "rollout.started", now, f"{rollout.total} clusters in {len(rollout.stages)} stages")
    return _with_stage(rollout, replace(stage, state="running", opened_at=now))


def _stop(rollout: Rollout, failed: int, now: datetime) -> Rollout:
    stage = rollout.stages[rollout.current]
    reason = f"stage {stage.name}: {failed} clusters failed, {rollout.rules.max_failures} tolerated"
    rollout = _with_stage(rollout, replace(stage, state="failed"))
    rollout = _with_event(rollout, "stage.failed", now, f"{reason}; the rollout is paused", stage=rollout.current, error=True)
    return replace(rollout, state="paused", reason=reason)


def _complete(rollout: Rollout, current: Sequence[Target], now: datetime) -> Rollout:
    stage, states = rollout.stages[rollout.current], Counter(t.state for t in current)
    summary = f"stage {stage.name} done, {_in_words(states)}"
    rollout = _with_stage(rollout, replace(stage, state="succeeded", closed_at=now))
    rollout = _with_event(rollout, "stage.succeeded", now, summary, stage=rollout.current, error=bool(states["failed"]))
    if rollout.current + 1 < len(rollout.stages):
        return replace(rollout, current=rollout.current + 1)
    rollout = replace(rollout, state="succeeded")
    return _with_event(rollout, "rollout.succeeded", now, "all stages done")


def _in_words(states: Mapping[TargetState, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no clusters"


def _note_late_failures(rollout: Rollout, given: dict[str, Target], judged: dict[str, Target], now: datetime) -> Rollout:
    """Clusters that were away when their stage closed may fail when they are back: nobody is looking any more, so it is told.

    Told by the counts, not by who changed just now, so that it is told after a crash too; once for all that fail together.
    """
    for index in range(_closed_stages(rollout)):
        stage, loaded = rollout.stages[index], [key for key, target in judged.items() if target.stage == index]
        late = sorted(judged[key].cluster for key in loaded if judged[key].state == "failed" != given[key].state)
        known = stage.counts.get("failed", 0)
        failed = sum(judged[key].state == "failed" for key in loaded) if len(loaded) == stage.total else known + len(late)
        if failed > known:
            named = f": {', '.join(late[:_NAMED])}{' and others' if len(late) > _NAMED else ''}" if late else ""
            summary = f"{failed - known} failed after stage {stage.name} had closed{named}"
            rollout = _with_event(rollout, f"target.failed.{failed}", now, summary, index, error=True)
    return rollout


def _with_stage(rollout: Rollout, stage: Stage) -> Rollout:
    stages = list(rollout.stages)
    stages[rollout.current] = stage
    return replace(rollout, stages=tuple(stages))


def _with_event(rollout: Rollout, kind: str, now: datetime, summary: str, stage: int | None = None, *, error: bool = False) -> Rollout:
    key = f"{rollout.id}.{kind}" if stage is None else f"{rollout.id}.{kind}.{stage}"
    if any(event.id == key for event in rollout.events):
        return rollout
    event = RolloutEvent(
        id=key, kind=".".join(kind.split(".")[:2]), at=now, summary=summary, stage=stage, severity="error" if error else "info"
    )
    return replace(rollout, events=(*rollout.events, event))


def _tally(rollout: Rollout, judged: dict[str, Target], *, loaded_stage: int) -> Rollout:
    """Counts per stage. A stage that was loaded whole is counted; of earlier ones only the open targets were loaded, and their
    final states keep their counts; later ones stay as they were, the one that opens now included.
    """
    loaded: dict[int, Counter[str]] = {}
    for target in judged.values():
        loaded.setdefault(target.stage, Counter())[target.state] += 1
    stages = tuple(
        replace(stage, counts=_count(stage, loaded.get(index, Counter()), untouched=index > loaded_stage and rollout.state in _MOVING))
        for index, stage in enumerate(rollout.stages)
    )
    return replace(rollout, stages=stages)


def _is_untouched(rollout: Rollout, index: int) -> bool:
    """Whether a stage lies ahead: its targets are not loaded, and nothing has happened to them."""
    return index > rollout.current and rollout.state in _MOVING


def _count(stage: Stage, loaded: Counter[str], *, untouched: bool) -> dict[str, int]:
    if loaded.total() != stage.total:
        if untouched:
            return stage.counts
        loaded = loaded + Counter({state: n for state, n in stage.counts.items() if state not in OPEN})
    return {state: n for state, n in sorted(loaded.items()) if n}


def _decide(
    before: Rollout, after: Rollout, given: dict[str, Target], judged: dict[str, Target], queued: tuple[Target, ...], now: datetime
) -> Decision:
    changed = tuple(target for key, target in judged.items() if target != given[key])
    if after != before:
        after = replace(after, updated_at=now)
    return Decision(rollout=after, targets=changed, dispatch=queued, wake_at=_wake_at(before, after, judged.values(), now))


def _wake_at(before: Rollout, after: Rollout, targets: Iterable[Target], now: datetime) -> datetime | None:
    """The next moment at which time alone changes something. Longer waits are found by the sweep, so only the next one matters."""
    if after.state != "running":
        return None
    if after.current != before.current:
        return _opens_at(after)
    graces = (t.failing_since + timedelta(seconds=after.rules.grace_seconds) for t in targets if t.failing_since and t.state == "applied")
    moments = [moment for moment in graces if moment > now]
    if after.stages[after.current].state == "pending":
        moments.append(_opens_at(after))
    return min((max(moment, now) for moment in moments), default=None)
