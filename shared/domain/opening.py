"""What a stage waits for before it opens: the wait after the stage before it, its gates, and a window."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain import gates
from shared.domain.facts import Facts
from shared.domain.gates import Gate
from shared.domain.picking import open_calendars
from shared.domain.rollouts import Glance, Rollout, Stage
from shared.domain.windows import opens_at

#: A gate's call that is not answered for by now was lost with its message, and is sent again.
_CALL_AGAIN_AFTER = timedelta(seconds=60)


def open_stage(rollout: Rollout, glances: Iterable[Glance], facts: Facts, now: datetime) -> Rollout:
    """The rollout with its current stage opened, or with the reason why it is not. A gate that says no ends it, one that nobody
    answered in time pauses it. A stage without clusters asks nobody; the wait after the stage before it holds all the same.
    """
    if rollout.stages[rollout.current].total:
        rollout = _ask(rollout, facts, now)
        if rollout.state != "running":
            return rollout
        reason = _waits_for_gates(rollout, facts, now) or _waits_for_time(rollout, now) or _waits_for_window(rollout, glances, now)
    else:
        reason = _waits_for_time(rollout, now)
    if reason:
        return replace(rollout, waiting_for=reason)
    stage = rollout.stages[rollout.current]
    if not any(event.kind == "rollout.started" for event in rollout.events):
        rollout = rollout.with_event("rollout.started", now, f"{rollout.total} clusters in {len(rollout.stages)} stages")
    return replace(rollout, waiting_for="").with_stage(rollout.current, replace(stage, state="running", opened_at=now))


def not_before(rollout: Rollout) -> datetime:
    """The end of the wait after the stage before the current one."""
    if rollout.current == 0:
        return rollout.created_at
    previous = rollout.stages[rollout.current - 1]
    return (previous.closed_at or rollout.updated_at) + timedelta(seconds=previous.after_wait_seconds)


def moments(rollout: Rollout, glances: Iterable[Glance], now: datetime) -> list[datetime]:
    """When time alone may open the current stage, or close one of its gates."""
    stage = rollout.stages[rollout.current]
    windows = [opens_at(rollout.calendars[index], now) for index in _calendars(rollout, glances)]
    found = [not_before(rollout), *windows, *(gates.wake_at(gate) for gate in stage.gates)]
    return [moment for moment in found if moment is not None]


def calls(rollout: Rollout, now: datetime) -> tuple[str, ...]:
    """The webhook gates of the current stage that wait to be called, or whose call was lost."""
    if rollout.state != "running":
        return ()
    return tuple(gate.name for gate in rollout.stages[rollout.current].gates if _must_be_called(gate, now))


def _must_be_called(gate: Gate, now: datetime) -> bool:
    if gate.type != "webhook" or gate.state != "waiting" or gate.asked_at is None or gate.called_at is not None:
        return False
    return now == gate.asked_at or now >= gate.asked_at + _CALL_AGAIN_AFTER


def _ask(rollout: Rollout, facts: Facts, now: datetime) -> Rollout:
    """All gates are asked at once, as soon as the stage before is over: people and other systems work while the wait runs."""
    stage = rollout.stages[rollout.current]
    judged = tuple(gates.judge(gates.ask(gate, now), facts.gates, now) for gate in stage.gates)
    asked = rollout.with_stage(rollout.current, replace(stage, gates=judged))
    for before, gate in zip(stage.gates, judged, strict=True):
        asked = _tell_gate(asked, stage, before, gate, facts, now)
    if refused := [gate for gate in judged if gate.state == "rejected"]:
        reason = f"stage {stage.name}: gate {refused[0].name} said no: {refused[0].reason}"
        return replace(asked, state="aborted", reason=reason, waiting_for="")
    if late := [gate for gate in judged if gate.state == "expired"]:
        reason = f"stage {stage.name}: gate {late[0].name} {late[0].reason}"
        return replace(asked, state="paused", reason=reason, waiting_for="")
    return asked


def _tell_gate(rollout: Rollout, stage: Stage, before: Gate, gate: Gate, facts: Facts, now: datetime) -> Rollout:
    """Told once for each time that the gate was asked."""
    asked = f"{gate.name}.{gate.asked_at.isoformat() if gate.asked_at else ''}"
    if gate.state == "waiting":
        summary = f"stage {stage.name} waits for {gates.waits_for(gate, facts.gates, now)}"
        return rollout.with_event("gate.waiting", now, summary, key=asked, stage=rollout.current)
    if gate.state == before.state:
        return rollout
    reason = gate.reason or "; ".join(f"{verdict.by}: {verdict.reason}" for verdict in gate.verdicts if verdict.reason)
    summary = f"gate {gate.name} of stage {stage.name} is {gate.state}{f': {reason}' if reason else ''}"
    return rollout.with_event(f"gate.{gate.state}", now, summary, key=asked, stage=rollout.current, error=gate.state != "approved")


def _waits_for_gates(rollout: Rollout, facts: Facts, now: datetime) -> str:
    stage = rollout.stages[rollout.current]
    return " and ".join(gates.waits_for(gate, facts.gates, now) for gate in stage.gates if gate.state == "waiting")


def _waits_for_time(rollout: Rollout, now: datetime) -> str:
    until = not_before(rollout)
    return f"the wait after the stage before, until {until.isoformat(timespec='seconds')}" if now < until else ""


def _waits_for_window(rollout: Rollout, glances: Iterable[Glance], now: datetime) -> str:
    """A stage of which no cluster may start now does not open, so that it never takes up a window that it cannot use."""
    calendars = _calendars(rollout, glances)
    if not calendars or calendars & open_calendars(rollout, now):
        return ""
    return window_text([opens_at(rollout.calendars[index], now) for index in calendars])


def window_text(openings: Iterable[datetime | None]) -> str:
    next_one = min((moment for moment in openings if moment is not None), default=None)
    return f"a window, which opens {next_one.isoformat(timespec='seconds')}" if next_one else "a window, and none will open again"


def _calendars(rollout: Rollout, glances: Iterable[Glance]) -> frozenset[int]:
    return frozenset(glance.calendar for glance in glances if glance.stage == rollout.current and glance.state == "pending")
