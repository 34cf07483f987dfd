"""What people read of clusters on their way: many that come at once are one message."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.clusters import traits_of
from shared.domain.event_fields import of_cluster
from shared.domain.onboarding import Effects, Told
from shared.domain.onboarding_progress import Progress
from shared.domain.record import digest
from shared.services.tell import Tell


@dataclass(frozen=True)
class OnboardingNews:
    """Tells what a visit has decided. The same of the same cluster and baseline is one, however often it is decided."""

    tell_alerts: Callable[[], Awaitable[Tell]]  #: made when there is something to tell

    async def tell(self, progress: Progress, effects: Effects) -> None:
        for effect in effects:
            if isinstance(effect, Told):
                tell = await self.tell_alerts()
                await tell(announce(progress, effect), group={"baseline": progress.baseline})


def announce(progress: Progress, told: Told) -> Announcement:
    name = progress.cluster.cluster_name if progress.cluster else progress.cluster_id.rsplit("/", 1)[-1]
    traits = traits_of(progress.cluster) if progress.cluster else None
    is_done = told.kind == "cluster.onboarded"
    many = f"reached baseline {progress.baseline}" if is_done else f"did not reach baseline {progress.baseline}"
    reason = "; ".join(progress.notes) if is_done else f"{progress.step}: {progress.reason}".removeprefix(": ")
    return Announcement(
        id=digest("onboarding", progress.id, progress.aim, told.kind),
        kind=told.kind,
        severity="info" if is_done else "error",
        title=f"1 cluster {many}",
        summary="",
        facts=(("Baseline", progress.baseline),),
        clusters=(ClusterLine(name=name, reason=reason, id=progress.cluster_id),),
        many=many,
        at=progress.since,
        subject=progress.cluster_id,
        next_step="" if is_done else "Mend what stands in the way; the cluster is tried again by itself (sluice clusters shows it).",
        fields={**of_cluster(progress.cluster_id, traits), "cluster": name, "baseline": progress.baseline, "reason": reason},
    )
