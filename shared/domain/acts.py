"""What people do to a rollout. Each act is refused, with the reason, where the rollout's state forbids it."""

from datetime import datetime
from typing import Literal, TypeGuard, get_args

from msgspec.structs import replace

from shared.domain import rollback
from shared.domain.errors import NotAllowed, NotFound
from shared.domain.gates import Gate, is_expired
from shared.domain.record import Record
from shared.domain.rollouts import Rollout, RolloutState, Stage

ActKind = Literal["pause", "resume", "abort", "rollback", "retry"]

_ALLOWED: dict[ActKind, tuple[RolloutState, ...]] = {
    "pause": ("running",),
    "resume": ("paused",),
    "abort": ("running", "paused", "rolling-back"),
    "rollback": ("running", "paused", "succeeded"),
    "retry": ("running", "paused", "succeeded", "rolled-back"),
}
_DONE: dict[ActKind, str] = {
    "pause": "paused",
    "resume": "resumed",
    "abort": "aborted",
    "rollback": "rolled back",
    "retry": "tried again",
}


class Act(Record, frozen=True):
    """Who wants what, and why."""

    kind: ActKind
    by: str
    reason: str
    stage: str = ""  #: rollback: only this stage, by name; "" = all that have begun


def act_kind(name: str) -> ActKind:
    """The act of that name. Raises NotFound naming those that there are."""
    if not _is_act(name):
        raise NotFound(f"there is no such act; acts are {', '.join(get_args(ActKind))}")
    return name


def _is_act(name: str) -> TypeGuard[ActKind]:
    return name in get_args(ActKind)


def perform(rollout: Rollout, act: Act, now: datetime) -> Rollout:
    """The rollout after the act, which is told and recorded as its person's. Raises NotAllowed."""
    if rollout.state not in _ALLOWED[act.kind]:
        raise NotAllowed(f"a rollout that is {rollout.state} cannot be {_DONE[act.kind]}{_because(rollout)}")
    if act.kind == "rollback" and rollout.action != "pin":
        raise NotAllowed("its clusters were only told to look, so nothing was written that could be taken back: move the source back")
    said = f"{_DONE[act.kind]} by {act.by}: {act.reason}"
    acted = _performed(rollout, act, said, now)
    new = tuple(replace(event, by=act.by, reason=act.reason) for event in acted.events[len(rollout.events) :])
    return replace(acted, events=(*rollout.events, *new), updated_at=now)


def possible(rollout: Rollout, now: datetime) -> tuple[ActKind, ...]:
    """The acts that the rollout's own state allows. Whether it is still the newest of its route is another question."""
    return tuple(kind for kind in get_args(ActKind) if _is_possible(rollout, kind, now))


def _is_possible(rollout: Rollout, kind: ActKind, now: datetime) -> bool:
    try:
        perform(rollout, Act(kind=kind, by="", reason=""), now)
    except NotAllowed:
        return False
    return True


def _performed(rollout: Rollout, act: Act, said: str, now: datetime) -> Rollout:
    match act.kind:
        case "pause":
            return _told(replace(rollout, state="paused", reason=said, waiting_for=""), "rollout.paused", said, now)
        case "resume":
            return _told(_resume(rollout, now), "rollout.resumed", said, now)
        case "abort":
            aborted = replace(rollout, state="aborted", reason=said, waiting_for="")
            return aborted.with_event("rollout.aborted", now, said, error=True)
        case "rollback":
            return rollback.begin(rollout, _stages(rollout, act.stage), said, now)
        case _:  # retry
            return _told(_retry(rollout, now), "rollout.retried", said, now)


def _because(rollout: Rollout) -> str:
    return f" ({rollout.reason})" if rollout.reason else ""


def _told(rollout: Rollout, kind: str, said: str, now: datetime) -> Rollout:
    """People may do the same thing again later: each time is an event of its own."""
    return rollout.with_event(kind, now, said, key=str(len(rollout.events)))


def _resume(rollout: Rollout, now: datetime) -> Rollout:
    """On from where it was: the failures so far are accepted, and gates that nobody answered in time are asked again."""
    stage = rollout.stages[rollout.current]
    again = replace(stage, gates=tuple(_asked_again(gate, now) for gate in stage.gates))
    if again.state == "failed":
        again = replace(again, state="running", forgiven=again.counts.get("failed", 0))
    return replace(rollout, state="running", reason="").with_stage(rollout.current, again)


def _asked_again(gate: Gate, now: datetime) -> Gate:
    """Also one whose time ran out while nobody looked, since the rollout was paused."""
    if gate.state == "expired" or is_expired(gate, now):
        return replace(gate, state="waiting", asked_at=None, called_at=None, reason="")
    return gate


def _retry(rollout: Rollout, now: datetime) -> Rollout:
    """The failed ones once more. What failed counts anew, and a bake begins anew; a paused rollout goes on."""
    if not any(stage.counts.get("failed") for stage in rollout.stages):
        raise NotAllowed("none of its clusters has failed")
    again = replace(rollout, retries=rollout.retries + 1)
    if rollout.state == "rolled-back":
        return replace(again, state="rolling-back")
    if rollout.state == "succeeded":
        return again
    again = _resume(again, now) if rollout.state == "paused" else again
    stage = again.stages[again.current]
    return again.with_stage(again.current, replace(stage, forgiven=0, done_at=now if stage.is_baking else None))


def _stages(rollout: Rollout, name: str) -> tuple[int, ...]:
    begun = [index for index, stage in enumerate(rollout.stages) if _has_begun(stage)]
    if not name:
        chosen = begun
    elif name in (known := [stage.name for stage in rollout.stages]):
        chosen = [index for index in begun if rollout.stages[index].name == name]
    else:
        raise NotAllowed(f"it has no stage {name}; its stages are {', '.join(known)}")
    if not chosen:
        raise NotAllowed("nothing has been updated yet: abort it instead")
    return tuple(chosen)


def _has_begun(stage: Stage) -> bool:
    return any(state != "pending" for state in stage.counts)
