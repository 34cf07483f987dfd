"""What people read about the fleet: of one sweep all that is of one kind is one message, however many clusters it concerns."""

from collections import defaultdict
from collections.abc import Iterable

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.fleet import Transition
from shared.domain.record import digest

_MAX_CLUSTERS = 25

_TITLES = {
    "cluster.connected": "Connected again",
    "cluster.expired": "Certificate expired",
    "cluster.found": "New in the fleet",
    "cluster.gone": "Gone from Azure",
    "cluster.offline": "Offline",
    "configuration.compliant": "Compliant again",
    "configuration.gone": "Gone from Azure",
    "configuration.non-compliant": "Non-Compliant",
    "drift.found": "Drift",
    "drift.remediated": "Drift put back",
    "drift.resolved": "Drift resolved",
    "extension.degraded": "Flux extension degraded",
    "extension.healthy": "Flux extension healthy again",
    "extension.missing": "Flux extension missing",
    "flux.supported": "Flux version supported again",
    "flux.unsupported": "Flux version out of support",
    "policy.compliant": "Complies with Azure Policy again",
    "policy.non-compliant": "Does not comply with Azure Policy",
}


def announcements(sweep: int, news: Iterable[Transition]) -> list[tuple[Announcement, str]]:
    """With the route of each. Their ids are made of the sweep's number, so that telling them again is noticed."""
    alike: dict[tuple[str, str], list[Transition]] = defaultdict(list)
    for transition in news:
        alike[transition.kind, transition.route].append(transition)
    return [(_announce(sweep, kind, route, found), route) for (kind, route), found in sorted(alike.items())]


def _announce(sweep: int, kind: str, route: str, found: list[Transition]) -> Announcement:
    thing = "fluxConfiguration" if found[0].configuration else "cluster"
    count = f"{len(found):,} {thing}{'' if len(found) == 1 else 's'}"
    ordered = sorted(found, key=lambda transition: (transition.cluster, transition.configuration))
    return Announcement(
        id=digest("fleet", str(sweep), kind, route),
        kind=kind,
        severity=found[0].severity,
        title=f"{_TITLES.get(kind, kind)}: {count}",
        summary=f"Found when the whole fleet was looked at{f', route {route}' if route else ''}.",
        clusters=tuple(ClusterLine(name=_name(transition), reason=transition.reason) for transition in ordered[:_MAX_CLUSTERS]),
        more_clusters=max(0, len(found) - _MAX_CLUSTERS),
    )


def _name(transition: Transition) -> str:
    return f"{transition.cluster} / {transition.configuration}" if transition.configuration else transition.cluster
