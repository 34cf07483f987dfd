"""What people read about a rollout's event. Pure: of the rollout, the event, and the targets that failed."""

from collections.abc import Sequence

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.pages import page
from shared.domain.rollouts import Rollout, RolloutEvent, Target

_MAX_CLUSTERS = 25
_SHORT_SHA = 8

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
        links=tuple((text, url) for text, url in [("Rollout", page(public_url, rollout=rollout.id))] if url),
        at=event.at,
        subject=rollout.id,
        fields={"rollout": rollout.id, "route": rollout.route, "stage": stage, "revision": rollout.revision},
    )


def _facts(rollout: Rollout, event: RolloutEvent, stage: str) -> list[tuple[str, str]]:
    counted = rollout.stages[event.stage].counts if event.stage is not None else _totals(rollout)
    return [
        ("Stage", stage),
        ("Source", f"{rollout.url} {rollout.branch or rollout.ref}"),
        ("Commit", f"{rollout.revision[:_SHORT_SHA]}{' (force-pushed)' if rollout.forced else ''} {rollout.title}".strip()),
        ("By", rollout.author),
        ("Clusters", ", ".join(f"{count} {state}" for state, count in sorted(counted.items()))),
        ("Rollout", rollout.id),
        ("Answer", _how_to_answer(rollout, event)),
    ]


def _how_to_answer(rollout: Rollout, event: RolloutEvent) -> str:
    """Where people are asked, the command that says yes."""
    if event.kind != "gate.waiting" or event.stage is None:
        return ""
    stage, asked = rollout.stages[event.stage], f"{rollout.id}.gate.waiting."
    gates = [gate.name for gate in stage.gates if gate.type == "approval" and event.id.startswith(f"{asked}{gate.name}.")]
    return f"sluice approve {rollout.id} {gates[0]} --stage {stage.name} --reason TEXT (or reject)" if gates else ""


def _totals(rollout: Rollout) -> dict[str, int]:
    totals: dict[str, int] = {}
    for stage in rollout.stages:
        for state, count in stage.counts.items():
            totals[state] = totals.get(state, 0) + count
    return totals
