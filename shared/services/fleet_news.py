"""What people read about the fleet: of one look all that is of one kind is one message, however many clusters it concerns."""

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


def announcements(look: str, news: Iterable[Transition], *, found: str) -> list[tuple[Announcement, str]]:
    """With the route of each. Their ids are made of the look's, so that telling them again is noticed. `found` says how, in words."""
    alike: dict[tuple[str, str], list[Transition]] = defaultdict(list)
    for transition in news:
        alike[transition.kind, transition.route].append(transition)
    return [(_announce(look, kind, route, same, found), route) for (kind, route), same in sorted(alike.items())]


def _announce(look: str, kind: str, route: str, same: list[Transition], found: str) -> Announcement:
    thing = "fluxConfiguration" if same[0].configuration else "cluster"
    count = f"{len(same):,} {thing}{'' if len(same) == 1 else 's'}"
    ordered = sorted(same, key=lambda transition: (transition.cluster, transition.configuration))
    return Announcement(
        id=digest("fleet", look, kind, route),
        kind=kind,
        severity=same[0].severity,
        title=f"{_TITLES.get(kind, kind)}: {count}",
        summary=f"Found {found}{f', route {route}' if route else ''}.",
        clusters=tuple(ClusterLine(name=_name(transition), reason=transition.reason) for transition in ordered[:_MAX_CLUSTERS]),
        more_clusters=max(0, len(same) - _MAX_CLUSTERS),
    )


def _name(transition: Transition) -> str:
    return f"{transition.cluster} / {transition.configuration}" if transition.configuration else transition.cluster
