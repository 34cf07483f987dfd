"""How the fleet is, and what needs people: what a daily or weekly digest says. Pure, of what is stored and the period."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from shared.domain.fleet import Member, Page
from shared.domain.onboarding_progress import Progress
from shared.domain.periods import Period
from shared.domain.record import Record
from shared.domain.rollouts import FINISHED, Rollout
from shared.domain.trend import Counts, Point, Trend, between, count, known_at

#: As long before its end as Key Vault tells of a secret by itself (SecretNearExpiry).
NEAR = timedelta(days=30)
#: A fleet that nobody has looked at for so long is not known.
STALE = timedelta(hours=2)


class Away(Record, frozen=True):
    """A cluster that nothing reaches."""

    cluster: str
    state: str  #: offline or expired
    since: datetime | None


class OpenDrift(Record, frozen=True):
    """A fluxConfiguration that is not as asked."""

    cluster: str
    configuration: str
    kind: str
    since: datetime
    by: str  #: "" = unknown


class Failing(Record, frozen=True):
    """A fluxConfiguration that is not compliant."""

    cluster: str
    configuration: str
    message: str
    since: datetime | None


class Asking(Record, frozen=True):
    """An approval that a rollout waits for."""

    rollout: str
    route: str
    stage: str
    gate: str
    title: str
    since: datetime


class Halted(Record, frozen=True):
    """A rollout that is paused."""

    rollout: str
    route: str
    title: str
    reason: str
    since: datetime


class Movement(Record, frozen=True):
    """What rollouts did in the period, and what they wait for now."""

    asking: tuple[Asking, ...] = ()  #: those who have waited longest first
    halted: tuple[Halted, ...] = ()
    running: int = 0
    ended: dict[str, int] = {}  #: by state, of those that ended in the period


class Unready(Record, frozen=True):
    """A cluster that does not come to its baseline."""

    cluster: str
    baseline: str
    reason: str
    since: datetime


class Expiry(Record, frozen=True):
    """A secret of sluice.yaml, and until when it is good."""

    reference: str
    used_by: tuple[str, ...]
    expires_at: datetime | None  #: None: it has no end, or could not be read
    problem: str = ""  #: why it could not be read


class Facts(Record, frozen=True):
    """What was read for a digest, beside the fleet."""

    swept_at: datetime | None
    trend: Trend
    rollouts: tuple[Rollout, ...] = ()
    unready: tuple[Progress, ...] = ()
    expiries: tuple[Expiry, ...] = ()
    undelivered: int = 0


class Digest(Record, frozen=True):
    """All that is told of a period. Lists are whole, those that matter most first."""

    period: Period
    counts: Counts
    swept_at: datetime | None
    before: Counts | None  #: at the beginning of the period; None: not known
    trend: tuple[Point, ...]  #: to the last one, which is now
    away: tuple[Away, ...]
    drift: tuple[OpenDrift, ...]
    failing: tuple[Failing, ...]
    gone: tuple[str, ...]  #: clusters that have left Azure in the period
    movement: Movement
    unready: tuple[Unready, ...]
    expiring: tuple[Expiry, ...]  #: expired ones first
    unreadable: tuple[Expiry, ...]
    undelivered: int

    @property
    def appeared(self) -> int | None:
        """How many clusters are new; None: not known."""
        return None if self.before is None else max(0, self.counts.clusters - self.before.clusters + len(self.gone))


def summarize(period: Period, members: Sequence[Member], gone: Sequence[str], facts: Facts, *, since: datetime, now: datetime) -> Digest:
    """`since`: where the trend begins."""
    counts = count(members)
    last = facts.swept_at or now
    points = tuple(point for point in between(facts.trend, since, now) if point.at < last)
    return Digest(
        period=period,
        counts=counts,
        swept_at=facts.swept_at,
        before=known_at(facts.trend, period.start),
        trend=(*points, Point(at=last, counts=counts)),
        away=_away(members),
        drift=_drift(members),
        failing=_failing(members),
        gone=tuple(gone),
        movement=movement(facts.rollouts, period),
        unready=tuple(_unready(progress) for progress in sorted(facts.unready, key=lambda progress: progress.since)),
        expiring=_expiring(facts.expiries, now),
        unreadable=tuple(expiry for expiry in facts.expiries if expiry.problem),
        undelivered=facts.undelivered,
    )


def left(pages: Iterable[Page], period: Period) -> list[str]:
    """Names of the clusters that are gone since the period began. Kept for seven days (see `standings`)."""
    found = [gone for page in pages for gone in page.gone.values() if not gone.configuration]
    return sorted(gone.cluster for gone in found if gone.standing.since >= period.start)


def of_routes(rollouts: Iterable[Rollout], patterns: Sequence[str]) -> tuple[Rollout, ...]:
    return tuple(rollout for rollout in rollouts if any(fnmatchcase(rollout.route, pattern) for pattern in patterns))


def movement(rollouts: Iterable[Rollout], period: Period) -> Movement:
    """What ended in the period is counted; what is open is told however old it is."""
    rollouts = list(rollouts)
    asking = [ask for rollout in rollouts for ask in _asking(rollout)]
    halted = [_halted(rollout) for rollout in rollouts if rollout.state == "paused"]
    ended = [rollout for rollout in rollouts if rollout.state in FINISHED and period.start <= rollout.updated_at < period.end]
    return Movement(
        asking=tuple(sorted(asking, key=lambda ask: ask.since)),
        halted=tuple(sorted(halted, key=lambda each: each.since)),
        running=sum(rollout.state in {"running", "rolling-back"} for rollout in rollouts),
        ended=dict(Counter(rollout.state for rollout in ended)),
    )


def _asking(rollout: Rollout) -> list[Asking]:
    if rollout.state != "running":
        return []
    stage = rollout.stages[rollout.current]
    return [
        Asking(rollout=rollout.id, route=rollout.route, stage=stage.name, gate=gate.name, title=rollout.title, since=gate.asked_at)
        for gate in stage.gates
        if gate.type == "approval" and gate.state == "waiting" and gate.asked_at
    ]


def _halted(rollout: Rollout) -> Halted:
    paused = [event.at for event in rollout.events if event.kind == "rollout.paused"]
    since = paused[-1] if paused else rollout.updated_at
    return Halted(rollout=rollout.id, route=rollout.route, title=rollout.title, reason=rollout.reason, since=since)


def _away(members: Iterable[Member]) -> tuple[Away, ...]:
    found = [Away(cluster=m.cluster.name, state=m.states["cluster"], since=m.since.get("cluster")) for m in members if m.is_away]
    return tuple(sorted(found, key=lambda away: (away.since is None, away.since, away.cluster)))


def _drift(members: Iterable[Member]) -> tuple[OpenDrift, ...]:
    found = [
        OpenDrift(cluster=member.cluster.name, configuration=entry.seen.name, kind=drift.kind, since=drift.since, by=drift.by)
        for member in members
        for entry in member.entries.values()
        if (drift := entry.drift) and entry.has_drifted
    ]
    return tuple(sorted(found, key=lambda drift: (drift.since, drift.cluster, drift.configuration)))


def _failing(members: Iterable[Member]) -> tuple[Failing, ...]:
    found = [
        Failing(
            cluster=member.cluster.name,
            configuration=entry.seen.name,
            message=entry.seen.message,
            since=entry.standing.since if entry.standing else None,
        )
        for member in members
        for entry in member.entries.values()
        if entry.state == "non-compliant" and not entry.missing_since
    ]
    return tuple(sorted(found, key=lambda failing: (failing.since is None, failing.since, failing.cluster, failing.configuration)))


def _unready(progress: Progress) -> Unready:
    name = progress.cluster.cluster_name if progress.cluster else progress.cluster_id.rsplit("/", 1)[-1]
    return Unready(cluster=name, baseline=progress.baseline, reason=progress.reason, since=progress.since)


def _expiring(expiries: Iterable[Expiry], now: datetime) -> tuple[Expiry, ...]:
    ends = [(expiry.expires_at, expiry) for expiry in expiries if expiry.expires_at and expiry.expires_at <= now + NEAR]
    return tuple(expiry for _, expiry in sorted(ends, key=lambda end: (end[0], end[1].reference)))
