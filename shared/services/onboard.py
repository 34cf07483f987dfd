"""A cluster is brought to its baseline: one visit, one look, at most one write."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.audit import Entry
from shared.domain.baselines import Wanted
from shared.domain.clock import Clock
from shared.domain.cluster_resources import Seen, Write
from shared.domain.clusters import Cluster, is_cluster_id
from shared.domain.errors import Busy, Conflict, Rejected, Throttled, Upstream
from shared.domain.messages import ONBOARDING, OnboardCluster, VisitCluster
from shared.domain.onboarding import Effects, begun, next_steps, refused
from shared.domain.onboarding_progress import Progress, new_progress
from shared.domain.onboarding_tasks import Task, current, take_up
from shared.domain.pace import ARM_WRITES
from shared.domain.policies import Governed
from shared.domain.record import digest
from shared.log import event_logger
from shared.ports import Audit, ClusterResources, Onboardings, Queue
from shared.services.onboarding_news import OnboardingNews
from shared.services.pacing import LOOK_AHEAD, Pacer
from shared.services.protected_settings import ProtectedSettings, Unreadable
from shared.services.wanted import WantedOf

log = event_logger("sluice.onboard")

#: A message later than this missed its slot, as in the rollouts' updates.
_SLOT_TOLERANCE = timedelta(seconds=ARM_WRITES.burst / ARM_WRITES.per_second)
#: Azure tells of our own writes as well: whoever has just looked, or is about to, looks no sooner for that.
_JUST_LOOKED = timedelta(seconds=20)
_MAX_BACKOFF_SECONDS = 300.0


@dataclass(frozen=True)
class Onboard:
    """The use case behind the queue `onboarding`.

    Every visit begins with a slot of the pace that rollouts keep: it reads one resource, and writes it if it is not as wanted. Its
    number makes every other message a duplicate, and what is saved before a write lets only one of two that come at once write.
    """

    onboardings: Onboardings
    wanted: WantedOf
    resources: ClusterResources
    protected: ProtectedSettings
    pacer: Pacer
    audit: Audit
    queue: Queue
    news: OnboardingNews
    clock: Clock
    lease: timedelta
    lost_after: timedelta

    async def __call__(self, message: OnboardCluster | VisitCluster) -> None:
        if isinstance(message, OnboardCluster):
            await self._begin(message.cluster_id.lower())
        else:
            await self._visit(message)

    async def _begin(self, cluster_id: str) -> None:
        """Plans a visit that starts with the cluster itself, unless one is about to come."""
        if not is_cluster_id(cluster_id):
            log.warning("onboarding.no-cluster")
            return
        found = await self.onboardings.get(cluster_id)
        if found is None and not self.wanted.has_baselines:
            return
        progress, etag = found or (new_progress(cluster_id, self.clock()), "")
        if is_lost(progress.again_at, self.lost_after, self.clock()):
            await self._send(progress)  # the same visit: should its message only be late, one of them is the duplicate
            return
        if found and not self._is_worth_a_visit(progress):
            log.info("onboarding.duplicate", extra={"cluster": progress.id})
            return
        await self._record(replace(progress, state="starting", again_at=self.clock()), etag)

    def _is_worth_a_visit(self, progress: Progress) -> bool:
        now = self.clock()
        if progress.writing or (progress.looked_at and now < progress.looked_at + _JUST_LOOKED):
            return False
        return progress.again_at is None or progress.again_at > now + _JUST_LOOKED

    async def _visit(self, message: VisitCluster) -> None:
        found = await self.onboardings.get(message.cluster_id)
        if found is None or found[0].visit != message.visit:
            log.info("onboarding.duplicate", extra={"visit": message.visit})
            return
        progress, etag = found
        if not await self._has_slot(message, progress):
            return
        cluster = progress.cluster
        if progress.state == "starting" or cluster is None:
            await self._look_at_cluster(progress, etag)
            return
        await self._look_at_step(progress, etag, cluster)

    async def _has_slot(self, message: VisitCluster, progress: Progress) -> bool:
        """One that has none yet, or was late for it, reserves the next. While rollouts have them all it comes back later."""
        now = self.clock()
        if message.slot and now - message.slot <= _SLOT_TOLERANCE:
            return True
        slot = await self.pacer.reserve_soon(progress.subscription)
        if slot is None:
            await self.queue.send(ONBOARDING, replace(message, slot=None), not_before=now + LOOK_AHEAD)
            return False
        if slot - now <= timedelta(seconds=1):
            return True
        await self.queue.send(ONBOARDING, replace(message, slot=slot), not_before=slot)
        return False

    async def _look_at_cluster(self, progress: Progress, etag: str) -> None:
        try:
            cluster = await self.resources.cluster(progress.cluster_id)
        except Upstream as error:
            await self._put_off(progress, etag, error)
            return
        if cluster is None:
            await self._forget(progress, "cluster.gone")
            return
        wanted, governed, problem = await self.wanted(cluster)
        await self._take_up(progress, etag, cluster, wanted, governed, problem)

    async def _take_up(
        self, progress: Progress, etag: str, cluster: Cluster, wanted: Wanted | None, governed: Governed, problem: str
    ) -> None:
        if problem:
            seen = replace(progress, cluster=cluster, seen_as=cluster.connectivity, looked_at=self.clock())
            failed, effects = refused(replace(seen, aim=self.wanted.aim(wanted, governed, problem), step=""), problem, self.clock())
            await self._record(replace(failed, again_at=None), etag, effects)
            return
        taken = take_up(progress, cluster, wanted, governed, self.clock())
        if taken.state == "left" and not taken.made:
            await self._forget(progress, "")
            return
        await self._record(taken, etag)

    async def _look_at_step(self, progress: Progress, etag: str, cluster: Cluster) -> None:
        wanted, governed, problem = await self.wanted(cluster)
        if self.wanted.aim(wanted, governed, problem) != progress.aim:
            await self._take_up(progress, etag, cluster, wanted, governed, problem)
            return
        task = current(wanted, progress)
        try:
            seen = await self._look(progress.cluster_id, task) if task else Seen(found=None)
        except Upstream as error:
            await self._put_off(progress, etag, error)
            return
        decided, effects = next_steps(wanted, governed, seen, progress, self.clock())
        write = next((effect for effect in effects if isinstance(effect, Write)), None)
        if write:
            await self._write(progress, decided, write, etag)
            return
        if progress.writing:
            await self._note(progress, progress.writing)  # whoever wrote this died before it could say so
        if decided.state == "left" and not decided.made:
            await self._forget(decided, "")
            return
        await self._record(replace(decided, writing=""), etag, effects)

    async def _look(self, cluster_id: str, task: Task) -> Seen:
        if task.kind == "configuration":
            return Seen(found=await self.resources.configuration(cluster_id, task.name))
        found = await self.resources.extension(cluster_id)
        is_to_go = task.piece is None and found is not None
        return Seen(found=found, others=is_to_go and await self.resources.has_configurations(cluster_id))

    async def _write(self, before: Progress, decided: Progress, write: Write, etag: str) -> None:
        try:
            filled = await self.protected.fill(write)
        except Unreadable as unreadable:
            failed, effects = refused(before, str(unreadable), self.clock())
            await self._record(failed, etag, effects)
            return
        held = begun(before, decided, write, self.clock() + self.lease)
        try:
            etag = await self.onboardings.save(held, etag)
        except Conflict:
            return  # another delivery of the same message was faster
        await self._send(held)  # for whoever goes on should this instance die: once the write is recorded it is a duplicate
        try:
            await self.resources.write(before.cluster_id, filled)
        except Upstream as error:
            if not error.unanswered:  # else Azure may still carry it out: looked at once the lease is over
                await self._put_off(replace(held, writing=""), etag, error)
            return
        await self._note(before, held.writing)
        await self._record(replace(decided, visit=held.visit, writing=""), etag)

    async def _put_off(self, progress: Progress, etag: str, error: Upstream) -> None:
        """Azure did not do what was asked. What will not work is told, and tried rarely; a cluster that is gone is looked at itself."""
        log.warning("onboarding.put-off", extra={"cluster": progress.id, "error": type(error).__name__, "code": error.code})
        now = self.clock()
        if isinstance(error, Rejected) and error.status != 404:
            failed, effects = refused(progress, f"{error.code}: {error}", now)
            await self._record(failed, etag, effects)
            return
        until = now + timedelta(seconds=_delay(error, progress.refusals))
        if isinstance(error, Throttled):
            await self.pacer.push_back(progress.subscription, until)
        state = "starting" if isinstance(error, Rejected) else progress.state
        reason = f"Azure answers {error.code or 'nothing'}"
        await self._record(replace(progress, state=state, reason=reason, refusals=progress.refusals + 1, again_at=until), etag)

    async def _record(self, progress: Progress, etag: str, effects: Effects = ()) -> None:
        """Told first, since what is told twice is one. Where someone else was faster, theirs is the newer look."""
        await self.news.tell(progress, effects)
        planned = replace(progress, visit=progress.visit + 1)
        try:
            await self.onboardings.save(planned, etag)
        except Conflict:
            return
        log.info("onboarding.visited", extra={"cluster": planned.id, "visit": planned.visit, "state": planned.state})
        await self._send(planned)

    async def _send(self, progress: Progress) -> None:
        if progress.again_at:
            visit = VisitCluster(cluster_id=progress.cluster_id, visit=progress.visit)
            await self.queue.send(ONBOARDING, visit, not_before=progress.again_at)

    async def _forget(self, progress: Progress, action: str) -> None:
        """A cluster that is gone, or that no baseline ever had."""
        if action and progress.made:
            await self._note(progress, f"{progress.visit} {action}", action=action)
        await self.onboardings.drop(progress)

    async def _note(self, progress: Progress, what: str, *, action: str = "baseline.written") -> None:
        """One record for each write, in the chain of the cluster."""
        _, _, done = what.partition(" ")
        await self.audit.append(
            Entry(
                id=f"{progress.id}.{digest('onboarding', what)}",
                stream=progress.id,
                at=self.clock(),
                actor="sluice",
                action=action,
                resource=progress.cluster_id,
                cause=progress.aim or "left",
                detail={"baseline": progress.baseline, "write": done},
                subscription=progress.subscription,
            )
        )


def is_lost(again_at: datetime | None, lost_after: timedelta, now: datetime) -> bool:
    """Whether a message that was due then must be taken for lost."""
    return again_at is not None and now > again_at + lost_after


def _delay(error: Upstream, refusals: int) -> float:
    """Seconds: what Azure asked for, else doubling. A busy resource is free again when its operation ends."""
    if error.retry_after is not None:
        return error.retry_after
    return min((30.0 if isinstance(error, Busy | Rejected) else 2.0) * 2.0 ** min(refusals, 10), _MAX_BACKOFF_SECONDS)
