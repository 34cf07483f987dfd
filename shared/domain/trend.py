"""How the fleet was over the last weeks: four points a day, of counts only."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from shared.domain.clusters import Cluster as OneCluster
from shared.domain.drift import as_found
from shared.domain.fleet import Entry, Member, Page
from shared.domain.record import Record, digest
from shared.domain.selectors import Selector

#: A point is the first look of each. Coarse enough that 12 weeks are one small document.
STEP = timedelta(hours=6)
#: 12 weeks, and some hours so that their beginning is always covered.
KEPT = timedelta(weeks=12, hours=12)
WHOLE = "all"  #: id of the trend of the whole fleet

_EVERY = Selector()
_BEGAN = datetime(1970, 1, 1, tzinfo=UTC)
#: Where a scale may begin: what is close to all must not look like little, nor a small loss like nothing.
_FLOORS = (0.99, 0.95, 0.9, 0.8, 0.5, 0.0)
_LEVELS = "▁▂▃▄▅▆▇█"
_NOTHING = "·"


class Counts(Record, frozen=True):
    """The fleet, or a part of it, at one moment. What nobody has judged yet is in neither of two states."""

    clusters: int = 0
    connected: int = 0
    offline: int = 0  #: also those whose certificate has expired
    configurations: int = 0
    compliant: int = 0
    non_compliant: int = 0
    drifted: int = 0

    @property
    def share(self) -> float | None:
        """Of the fluxConfigurations that are known to be compliant or not, how many are; None where there are none."""
        judged = self.compliant + self.non_compliant
        return self.compliant / judged if judged else None


class Point(Record, frozen=True):
    """The counts of one look."""

    at: datetime
    counts: Counts


class Trend(Record, frozen=True):
    """The points of the fleet, or of what a selector means, oldest first."""

    id: str = WHOLE
    points: tuple[Point, ...] = ()


def trend_id(selector: Selector) -> str:
    return WHOLE if selector == _EVERY else digest("trend", msgspec.json.encode(selector, order="sorted").decode())


def selected(pages: Iterable[Page], selector: Selector) -> list[Member]:
    """The clusters that are there, each with its fluxConfigurations; of both those that the selector means."""
    members = [member for page in pages for member in page.members.values() if not member.missing_since]
    if selector == _EVERY:
        return members
    clusters = replace(selector, configuration="*")
    return [_narrowed(member, selector) for member in members if clusters.matches(_as_cluster(member))]


def count(members: Iterable[Member]) -> Counts:
    """A fluxConfiguration that is gone may still be drift, and is nothing else."""
    members = list(members)
    entries = [entry for member in members for entry in member.entries.values()]
    there = [entry for entry in entries if not entry.missing_since]
    return Counts(
        clusters=len(members),
        connected=sum(member.states.get("cluster") == "connected" for member in members),
        offline=sum(member.is_away for member in members),
        configurations=len(there),
        compliant=sum(entry.state == "compliant" for entry in there),
        non_compliant=sum(entry.state == "non-compliant" for entry in there),
        drifted=sum(entry.has_drifted for entry in entries),
    )


def add(trend: Trend, counts: Counts, now: datetime) -> Trend:
    """The trend with one more point; the very trend where this quarter of the day has one."""
    if trend.points and _slot(trend.points[-1].at) >= _slot(now):
        return trend
    kept = tuple(point for point in trend.points if now - point.at <= KEPT)
    return replace(trend, points=(*kept, Point(at=now, counts=counts)))


def between(trend: Trend, start: datetime, end: datetime) -> tuple[Point, ...]:
    return tuple(point for point in trend.points if start <= point.at <= end)


def known_at(trend: Trend, moment: datetime) -> Counts | None:
    """The fleet at a moment: the newest point before it, provided that it is of the same time."""
    before = [point for point in trend.points if point.at <= moment and moment - point.at <= 2 * STEP]
    return before[-1].counts if before else None


def floor(shares: Iterable[float]) -> float:
    """Where the scale of a picture of these begins; it ends at 1."""
    least = min(shares, default=1.0)
    return next(each for each in _FLOORS if each <= least)


def sparkline(points: Sequence[Point], start: datetime, end: datetime, length: int) -> str:
    """One character for each part of the time, as high as the lowest share in it. "" where there is nothing to show."""
    lowest: dict[int, float] = {}
    for point in points:
        share = point.counts.share
        if share is not None:
            part = min(length - 1, int((point.at - start) / (end - start) * length))
            lowest[part] = min(share, lowest.get(part, 1.0))
    if not lowest:
        return ""
    bottom = floor(lowest.values())
    return "".join(_level(lowest.get(part), bottom) for part in range(length))


def _level(share: float | None, bottom: float) -> str:
    return _NOTHING if share is None else _LEVELS[int((share - bottom) / (1 - bottom) * (len(_LEVELS) - 1))]


def _slot(at: datetime) -> int:
    return (at - _BEGAN) // STEP


def _narrowed(member: Member, selector: Selector) -> Member:
    def is_meant(entry: Entry) -> bool:
        return selector.matches(as_found(member.cluster, entry.seen, _BEGAN))

    return replace(member, entries={key: entry for key, entry in member.entries.items() if is_meant(entry)})


def _as_cluster(member: Member) -> OneCluster:
    """As selectors see it."""
    cluster = member.cluster
    return OneCluster(
        id=cluster.id,
        cluster_name=cluster.name,
        subscription=cluster.subscription,
        resource_group=cluster.resource_group,
        location=cluster.location,
        distribution=cluster.distribution,
        kubernetes_version=cluster.kubernetes_version,
        tags=cluster.tags,
        connectivity=cluster.connectivity,
    )
