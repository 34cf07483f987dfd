"""What people read about a rollout's event. Pure: of the rollout, the event, and the targets that failed."""

from collections.abc import Iterable, Sequence

from shared.domain.announcements import Announcement, ClusterLine, Field
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
    "gate.waiting": "Waiting at a gate",
    "gate.approved": "Gate approved",
    "gate.rejected": "Gate rejected, rollout aborted",
    "gate.expired": "Gate expired, rollout paused",
}
#: In the rollout's list of events, but told with the step in which it happened, by name (tell_targets.py).
TOLD_PER_STEP = frozenset({"target.failed"})


def announce(rollout: Rollout, event: RolloutEvent, failed: Sequence[Target], public_url: str = "") -> Announcement:
    """The event with where it happened, what moved, who moved it, and for a failure the clusters and their reasons.

    `public_url` is this app's own address: with it, the announcement links to the rollout's page.
    """
    stage = rollout.stages[event.stage].name if event.stage is not None else ""
    title = _TITLES.get(event.kind, event.kind)
    gate = _gate_of(rollout, event)
    return Announcement(
        id=event.id,
        kind=event.kind,
        severity=event.severity,
        title=f"{title}: {rollout.route}{f' / {stage}' if stage else ''}",
        summary=event.summary,
        facts=facts_of(_facts(rollout, event, stage)),
        clusters=tuple(ClusterLine(name=t.cluster, reason=t.reason, id=t.configuration_id) for t in failed[:_MAX_CLUSTERS]),
        more_clusters=max(0, len(failed) - _MAX_CLUSTERS),
        links=_links(rollout, event, gate, public_url),
        at=event.at,
        subject=rollout.id,
        next_step=_next_step(rollout, event),
        fields={**fields_of(rollout, event.stage), "gate": gate, "by": event.by, "reason": event.reason or rollout.reason},
    )


def fields_of(rollout: Rollout, stage: int | None) -> dict[str, Field]:
    """What programs are told of a rollout, and of one of its stages."""
    counted = rollout.stages[stage].counts if stage is not None else _totals(rollout)
    return {
        "rollout": rollout.id,
        "route": rollout.route,
        "stage": rollout.stages[stage].name if stage is not None else "",
        "action": rollout.action,
        "source": rollout.url,
        "ref": rollout.ref,
        "revision": rollout.revision,
        "author": rollout.author,
        "total": sum(counted.values()),
        **{state: counted.get(state, 0) for state in ("compliant", "failed", "offline")},
        "rolledBack": counted.get("rolled-back", 0),
    }


def source_of(rollout: Rollout) -> str:
    return f"{rollout.url} {rollout.branch or rollout.ref}"


def commit_of(rollout: Rollout) -> str:
    return f"{rollout.revision[:_SHORT_SHA]}{' (force-pushed)' if rollout.forced else ''} {rollout.title}".strip()


def facts_of(facts: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those that say anything."""
    return tuple((label, value) for label, value in facts if value)


def _links(rollout: Rollout, event: RolloutEvent, gate: str, public_url: str) -> tuple[tuple[str, str], ...]:
    """Where people are asked, first the page on which they answer."""
    stage = rollout.stages[event.stage].name if event.stage is not None else ""
    links = [("Open the rollout", page(public_url, rollout=rollout.id))]
    if gate and event.kind == "gate.waiting":
        links.insert(0, ("Approve or reject", page(public_url, rollout=rollout.id, stage=stage, gate=gate)))
    if event.stage is not None and event.severity == "error":
        links.append(("Failed clusters", page(public_url, rollout=rollout.id, stage=stage, state="failed")))
    return tuple((text, url) for text, url in links if url)


def _next_step(rollout: Rollout, event: RolloutEvent) -> str:
    """What people can do about it; "" where there is nothing."""
    if event.kind in ("rollout.paused", "stage.failed", "gate.expired") and rollout.state == "paused":
        return (
            f"Mend the clusters, then: sluice retry {rollout.id} --reason TEXT. "
            f"Or let it go on (sluice resume), or take it back (sluice rollback)."
        )
    has_failed = event.kind in ("stage.failed", "stage.succeeded") and event.severity == "error" and rollout.state != "rolling-back"
    if has_failed or (event.kind == "rollout.succeeded" and _totals(rollout).get("failed")):
        return f"Mend the failed clusters, then: sluice retry {rollout.id} --reason TEXT"
    if event.kind in ("stage.failed", "rollout.rolling-back"):
        return "Nothing: the clusters go back to their previous revision. Mend the commit and push again."
    if event.kind in ("rollout.rolled-back", "rollout.aborted", "gate.rejected"):
        return "Mend the commit and push again: a newer push begins a new rollout."
    return _how_to_answer(rollout, event)


def _facts(rollout: Rollout, event: RolloutEvent, stage: str) -> list[tuple[str, str]]:
    counted = rollout.stages[event.stage].counts if event.stage is not None else _totals(rollout)
    return [
        ("Stage", stage),
        ("Source", source_of(rollout)),
        ("Commit", commit_of(rollout)),
        ("By", rollout.author),
        ("Clusters", ", ".join(f"{count} {state}" for state, count in sorted(counted.items()) if count)),
        ("Rollout", rollout.id),
        ("Answer", _how_to_answer(rollout, event)),
    ]


def _how_to_answer(rollout: Rollout, event: RolloutEvent) -> str:
    """Where people are asked, the command that says yes."""
    gate = _gate_of(rollout, event)
    if event.kind != "gate.waiting" or not gate or event.stage is None:
        return ""
    return f"sluice approve {rollout.id} {gate} --stage {rollout.stages[event.stage].name} --reason TEXT (or reject)"


def _gate_of(rollout: Rollout, event: RolloutEvent) -> str:
    """The approval that people are asked for, or have answered."""
    if event.stage is None:
        return ""
    gates = [gate.name for gate in rollout.stages[event.stage].gates if gate.type == "approval"]
    return next((gate for gate in gates if event.id.startswith(f"{rollout.id}.{event.kind}.{gate}.")), "")


def _totals(rollout: Rollout) -> dict[str, int]:
    totals: dict[str, int] = {}
    for stage in rollout.stages:
        for state, count in stage.counts.items():
            totals[state] = totals.get(state, 0) + count
    return totals
