"""What people ask: which rollouts there are, and where each target is."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import NotFound
from shared.domain.rollouts import Rollout, Target
from shared.ports import Rollouts

MAX_PAGE = 100


@dataclass(frozen=True)
class Report:
    """The use case behind GET /api/rollouts and /api/rollouts/{id}."""

    rollouts: Rollouts

    async def recent(self, limit: int, continuation: str | None) -> dict[str, object]:
        """Newest first; `continuation` of one page asks for the next."""
        found, more = await self.rollouts.recent(min(max(limit, 1), MAX_PAGE), continuation)
        return {"rollouts": [_summary(rollout) for rollout in found], "continuation": more}

    async def one(self, rollout_id: str) -> dict[str, object]:
        """A rollout with its targets and events. Raises NotFound."""
        found = await self.rollouts.get(rollout_id)
        if found is None:
            raise NotFound(f"there is no rollout {rollout_id}")
        targets = sorted(await self.rollouts.targets(rollout_id), key=lambda t: t.order)
        rollout = found[0]
        return {
            **_summary(rollout),
            "targets": [_target(rollout, target) for target in targets],
            "events": [{"at": _text(e.at), "kind": e.kind, "severity": e.severity, "summary": e.summary} for e in rollout.events],
        }


def _summary(rollout: Rollout) -> dict[str, object]:
    return {
        "id": rollout.id,
        "route": rollout.route,
        "source": rollout.url,
        "ref": rollout.ref,
        "revision": rollout.revision,
        "title": rollout.title,
        "author": rollout.author,
        "state": rollout.state,
        "reason": rollout.reason,
        "supersededBy": rollout.superseded_by or None,
        "unstaged": rollout.unstaged,
        "createdAt": _text(rollout.created_at),
        "updatedAt": _text(rollout.updated_at),
        "stages": [{"name": s.name, "state": s.state, "total": s.total, "counts": s.counts} for s in rollout.stages],
    }


def _target(rollout: Rollout, target: Target) -> dict[str, object]:
    return {
        "id": target.id,
        "cluster": target.cluster,
        "configuration": target.configuration,
        "resourceId": target.configuration_id,
        "stage": rollout.stages[target.stage].name,
        "state": target.state,
        "reason": target.reason,
        "appliedAt": _text(target.applied_at),
        "observedRevision": target.observation.revision if target.observation else "",
    }


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
