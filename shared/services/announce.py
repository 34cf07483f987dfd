"""What people read about a rollout's event. Pure: of the rollout, the event, and the targets that failed."""

from collections.abc import Sequence

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.pages import page
from shared.domain.rollouts import Rollout, RolloutEvent, Target

_MAX_CLUSTERS = 25
_SHORT_SHA = 8
_PROGRESS = {"compliant": "compliant", "failed": "failed", "offline": "offline", "rolledBack": "rolled-back"}

_TITLES = {
    "rollout.started": "Rollout started",
    "rollout.succeeded": "Rollout finished",
    "rollout.superseded": "Rollout superseded",
    "rollout.paused": "Rollout paused",
    "rollout.resumed": "Rollout resumed",
    "rollout.aborted": "Rollout aborted",
    "rollout.retried": "Failed clusters are tried again",
    "rollout.rolling-back": "Rollout goes back",
    "rollout.rolled-back": "Rollout rolled back",
    "stage.succeeded": "Stage done",
    "stage.failed": "Stage failed",
    "target.failed": "Cluster failed late",
    "gate.waiting": "Waiting at a gate",
    "gate.approved": "Gate approved",
    "gate.rejected": "Gate rejected, rollout aborted",
    "gate.expired": "Gate expired, rollout paused",
}


def announce(rollout: Rollout, event: RolloutEvent, failed: Sequence[Target], public_url: str = "") -> Announcement:
    """The event with where it happened, what moved, who moved it, and for a failure the clusters and their reasons.

    `public_url` is this app's own address: with it, the announcement links to the rollout's page.
    """
    stage = rollout.stages[event.stage].name if event.stage is not None else ""
    title = _TITLES.get(event.kind, event.kind)
    return Announcement(
        id=event.id,
        kind=event.kind,
        severity=event.severity,
        title=f"{title}: {rollout.route}{f' / {stage}' if stage else ''}",
        summary=event.summary,
        facts=tuple((label, value) for label, value in _facts(rollout, event, stage) if value),
        clusters=tuple(ClusterLine(name=t.cluster, reason=t.reason) for t in failed[:_MAX_CLUSTERS]),
        more_clusters=max(0, len(failed) - _MAX_CLUSTERS),
        links=tuple((text, url) for text, url in _links(rollout, event, stage, public_url) if url),
        at=event.at,
        subject=rollout.id,
        next_step=_next_step(rollout, event),
        fields={"rollout": rollout.id, "route": rollout.route, "stage": stage, "revision": rollout.revision, **_progress(rollout, event)},
    )


def _facts(rollout: Rollout, event: RolloutEvent, stage: str) -> list[tuple[str, str]]:
    return [
        ("Stage", stage),
        ("Source", f"{rollout.url} {rollout.branch or rollout.ref}"),
        ("Commit", f"{rollout.revision[:_SHORT_SHA]}{' (force-pushed)' if rollout.forced else ''} {rollout.title}".strip()),
        ("By", rollout.author),
        ("Clusters", ", ".join(f"{count} {state}" for state, count in sorted(_counted(rollout, event).items()) if count)),
        ("Rollout", rollout.id),
        ("Answer", _how_to_answer(rollout, event)),
    ]


def _links(rollout: Rollout, event: RolloutEvent, stage: str, public_url: str) -> list[tuple[str, str]]:
    """Where people are asked, first the page on which they answer."""
    gate = _asking(rollout, event)
    answer = [("Approve or reject", page(public_url, rollout=rollout.id, stage=stage, gate=gate))] if gate else []
    return [*answer, ("Open the rollout", page(public_url, rollout=rollout.id))]


def _how_to_answer(rollout: Rollout, event: RolloutEvent) -> str:
    """The command that says yes."""
    gate = _asking(rollout, event)
    if not gate or event.stage is None:
        return ""
    return f"sluice approve {rollout.id} {gate} --stage {rollout.stages[event.stage].name} --reason TEXT (or reject)"


def _next_step(rollout: Rollout, event: RolloutEvent) -> str:
    """What people can do about it; "" where there is nothing."""
    if event.kind == "gate.waiting":
        return "Look at what the stages before made of it, then approve or reject." if _asking(rollout, event) else ""
    if event.kind in {"stage.failed", "target.failed"}:
        return "Read the reasons, then fix them with a new commit, or retry, resume or roll back the rollout."
    return "Fix the commit and push it: the next push starts a new rollout." if event.kind == "rollout.rolled-back" else ""


def _asking(rollout: Rollout, event: RolloutEvent) -> str:
    """The gate at which people are asked; "" where none is, or something else answers."""
    if event.kind != "gate.waiting" or event.stage is None:
        return ""
    asked = f"{rollout.id}.gate.waiting."
    gates = rollout.stages[event.stage].gates
    return next((gate.name for gate in gates if gate.type == "approval" and event.id.startswith(f"{asked}{gate.name}.")), "")


def _progress(rollout: Rollout, event: RolloutEvent) -> dict[str, int]:
    """How far the stage is, or the whole rollout: the numbers of its clusters."""
    counts = _counted(rollout, event)
    total = rollout.stages[event.stage].total if event.stage is not None else rollout.total
    return {"total": total, **{name: counts.get(state, 0) for name, state in _PROGRESS.items()}}


def _counted(rollout: Rollout, event: RolloutEvent) -> dict[str, int]:
    return rollout.stages[event.stage].counts if event.stage is not None else _totals(rollout)


def _totals(rollout: Rollout) -> dict[str, int]:
    totals: dict[str, int] = {}
    for stage in rollout.stages:
        for state, count in stage.counts.items():
            totals[state] = totals.get(state, 0) + count
    return totals
