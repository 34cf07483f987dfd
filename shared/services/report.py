"""What people ask: which rollouts there are, and where each target is."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from shared.domain.acts import possible
from shared.domain.clock import Clock
from shared.domain.errors import NotFound, Refused
from shared.domain.gates import Gate, wake_at
from shared.domain.pins import Pin
from shared.domain.rollouts import Rollout, RolloutEvent, Stage, Target, TargetState
from shared.ports import Rollouts

MAX_PAGE = 100
MAX_TARGETS = 1000  #: in one answer: half a megabyte


@dataclass(frozen=True)
class Report:
    """The use case behind GET /api/rollouts and what is below it."""

    rollouts: Rollouts
    clock: Clock

    async def recent(self, limit: int, continuation: str | None) -> dict[str, object]:
        """Newest first; `continuation` of one page asks for the next."""
        found, more = await self.rollouts.recent(min(max(limit, 1), MAX_PAGE), continuation)
        return {"rollouts": [summary(rollout) for rollout in found], "continuation": more}

    async def one(self, rollout_id: str, *, with_targets: bool = True) -> dict[str, object]:
        """A rollout with what may be done to it, its events and its first targets; `moreTargets` asks `targets` for the next.

        Raises NotFound.
        """
        rollout = await self._rollout(rollout_id)
        events = [_event(event) for event in rollout.events]
        whole = {**summary(rollout), "acts": possible(rollout, self.clock()), "events": events}
        if not with_targets:
            return whole
        page = await self._page(rollout, None, (), -1, MAX_TARGETS)
        return {**whole, "targets": page["targets"], "moreTargets": page["continuation"]}

    async def targets(self, rollout_id: str, *, stage: str, state: str, limit: int, continuation: str) -> dict[str, object]:
        """Targets in their order, a page of them; "" for any stage, any state, and the first page. Raises NotFound, Refused 400."""
        rollout = await self._rollout(rollout_id)
        if state and state not in get_args(TargetState):
            raise Refused(400, f"state must be one of {', '.join(get_args(TargetState))}", explain=True)
        if continuation and not (continuation.isdecimal() and len(continuation) < 10):
            raise Refused(400, "continuation must be what the page before gave", explain=True)
        index = stage_index(rollout, stage) if stage else None
        after = int(continuation) if continuation else -1
        return await self._page(rollout, index, (state,) if state else (), after, min(max(limit, 1), MAX_TARGETS))

    async def _rollout(self, rollout_id: str) -> Rollout:
        found = await self.rollouts.get(rollout_id)
        if found is None:
            raise NotFound(f"there is no rollout {rollout_id}")
        return found[0]

    async def _page(self, rollout: Rollout, stage: int | None, states: tuple[str, ...], after: int, limit: int) -> dict[str, object]:
        found = await self.rollouts.some_targets(rollout.id, stage=stage, states=states, after=after, limit=limit)
        more = str(found[-1].order) if len(found) == limit else None
        return {"targets": [_target(rollout, target) for target in found], "continuation": more}


def stage_index(rollout: Rollout, name: str) -> int:
    """Raises NotFound naming the stages that there are."""
    names = [stage.name for stage in rollout.stages]
    if name not in names:
        raise NotFound(f"there is no such stage; the rollout's stages are {', '.join(names)}")
    return names.index(name)


def summary(rollout: Rollout) -> dict[str, object]:
    return {
        "id": rollout.id,
        "route": rollout.route,
        "action": rollout.action,
        "source": rollout.url,
        "ref": rollout.ref,
        "revision": rollout.revision,
        "title": rollout.title,
        "author": rollout.author,
        "state": rollout.state,
        "reason": rollout.reason,
        "waitingFor": rollout.waiting_for,
        "supersededBy": rollout.superseded_by or None,
        "unstaged": rollout.unstaged,
        "createdAt": _text(rollout.created_at),
        "updatedAt": _text(rollout.updated_at),
        "stages": [_stage(stage) for stage in rollout.stages],
    }


def _stage(stage: Stage) -> dict[str, object]:
    return {
        "name": stage.name,
        "state": stage.state,
        "total": stage.total,
        "counts": stage.counts,
        "openedAt": _text(stage.opened_at),
        "doneAt": _text(stage.done_at),
        "closedAt": _text(stage.closed_at),
        "rules": {
            "maxConcurrency": stage.max_concurrency,
            "maxFailures": stage.rules.max_failures,
            "onFailure": stage.rules.on_failure,
            "complianceWithinSeconds": stage.rules.compliance_within_seconds,
            "graceSeconds": stage.rules.grace_seconds,
            "bakeSeconds": stage.bake_seconds,
            "afterWaitSeconds": stage.after_wait_seconds,
        },
        "gates": [_gate(gate) for gate in stage.gates],
    }


def _gate(gate: Gate) -> dict[str, object]:
    """Without the address of a webhook gate, which may hold a secret."""
    return {
        "name": gate.name,
        "type": gate.type,
        "state": gate.state,
        "reason": gate.reason,
        "askedAt": _text(gate.asked_at),
        "expiresAt": _text(wake_at(gate)),
        "approvers": gate.approvers,
        "required": gate.required,
        "verdicts": [{"by": v.by, "approved": v.approved, "reason": v.reason, "at": _text(v.at)} for v in gate.verdicts],
    }


def _event(event: RolloutEvent) -> dict[str, object]:
    return {
        "at": _text(event.at),
        "kind": event.kind,
        "severity": event.severity,
        "summary": event.summary,
        "by": event.by or "sluice",
        "reason": event.reason,
    }


def _target(rollout: Rollout, target: Target) -> dict[str, object]:
    return {
        "id": target.id,
        "cluster": target.cluster,
        "configuration": target.configuration,
        "resourceId": target.configuration_id,
        "stage": rollout.stages[target.stage].name,
        "state": target.state,
        "goal": target.goal,
        "reason": target.reason,
        "appliedAt": _text(target.applied_at),
        "askedRevision": _revision(target.asked),
        "previousRevision": _revision(target.previous),
        "observedRevision": target.observation.revision if target.observation else "",
    }


def _revision(pin: Pin | None) -> str:
    return pin.revision if pin else ""


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
