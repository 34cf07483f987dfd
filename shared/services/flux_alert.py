"""What people read of a Flux object that fails outside every rollout. Pure: of the report and the time."""

from datetime import datetime

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.event_fields import of_cluster
from shared.domain.flux_reports import FluxReport
from shared.domain.record import digest

KIND = "flux.alert"
_MAX_REASON = 300


def flux_alert(report: FluxReport, now: datetime) -> Announcement:
    """The same for every report that an object of that cluster fails for that reason, within an hour.

    Flux tells of a failure at each attempt, and always in other words: how long it took is part of the message.
    """
    thing = f"{report.kind} {report.namespace}/{report.name}"
    return Announcement(
        id=digest(KIND, report.kind, report.namespace, report.name, report.reason, report.cluster_id, hour(now).isoformat()),
        kind=KIND,
        severity="error",
        title=f"Flux: {thing} fails",
        summary=f"{report.reason}, outside every rollout. Whoever still fails is told again in an hour.",
        facts=tuple((label, value) for label, value in (("Object", thing), ("Revision", report.revision)) if value),
        clusters=(ClusterLine(name=report.cluster, reason=report.message[:_MAX_REASON] or report.reason, id=report.cluster_id),),
        many=f"Flux: {thing} fails on {{n}} clusters: {report.reason}",
        at=now,
        subject=report.cluster_id,
        next_step=f"See what it says there: flux get all -A, or kubectl describe {report.kind} -n {report.namespace} {report.name}",
        fields={**of_cluster(report.cluster_id), "object": thing, "revision": report.revision, "reason": report.reason},
    )


def hour(now: datetime) -> datetime:
    """When the hour began."""
    return now.replace(minute=0, second=0, microsecond=0)
