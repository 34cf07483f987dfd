"""What people read about the fleet: one announcement for each cluster or fluxConfiguration; what is alike is told together."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from shared.domain.announcements import Announcement, ClusterLine, Field
from shared.domain.event_fields import of_cluster
from shared.domain.fleet import Transition
from shared.domain.pages import page
from shared.domain.record import digest

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


_NEXT = {
    "cluster.expired": "Renew its certificate within 90 days of that, or connect the cluster anew (az connectedk8s).",
    "cluster.offline": "See whether the site has power and network; the cluster catches up by itself.",
    "configuration.non-compliant": "Read Flux's message, and mend the commit or the cluster.",
    "drift.found": "See who wrote it. What is not put back by itself: sluice drift shows it.",
    "extension.degraded": "Read the extension's message; az k8s-extension show has all of it.",
    "extension.missing": "Install microsoft.flux, or select the cluster in a baseline.",
    "flux.unsupported": "Let the extension upgrade itself, or raise its version in the baseline.",
    "policy.non-compliant": "Look at the assignment's reasons in Azure Policy.",
}


def announcements(look: str, news: Iterable[Transition], *, found: str, public_url: str = "") -> list[tuple[str, list[Announcement]]]:
    """By route, one for each. Their ids are made of the look's, so that telling them again is noticed. `found` says how, in words."""
    return _by_route(news, lambda each: digest("fleet", look, each.kind, each.route, _key(each)), f"Found {found}", public_url)


def lasting_announcements(lasting: Iterable[Transition], public_url: str = "") -> list[Announcement]:
    """What is wrong, as of when it began."""
    by_route = _by_route(lasting, lambda each: digest("lasting", each.kind, _key(each), f"{each.at}"), "Not mended yet", public_url)
    return [announcement for _, same in by_route for announcement in same]


def _by_route(
    news: Iterable[Transition], name: Callable[[Transition], str], found: str, public_url: str
) -> list[tuple[str, list[Announcement]]]:
    alike: dict[str, list[Announcement]] = defaultdict(list)
    for each in sorted(news, key=lambda each: (each.route, each.kind, each.cluster, each.configuration)):
        alike[each.route].append(_announce(each, name(each), found, public_url))
    return list(alike.items())


def _announce(each: Transition, announcement_id: str, found: str, public_url: str) -> Announcement:
    thing = "fluxConfiguration" if each.configuration else "cluster"
    title = _TITLES.get(each.kind, each.kind)
    address = page(public_url, view="fleet")
    return Announcement(
        id=announcement_id,
        kind=each.kind,
        severity=each.severity,
        title=f"{title}: 1 {thing}",
        summary=f"{found}{f', route {each.route}' if each.route else ''}.",
        clusters=(ClusterLine(name=_name(each), reason=each.reason, id=_key(each)),),
        links=(("Fleet", address),) if address else (),
        many=f"{title}: {{n}} {thing}s",
        at=each.at,
        subject=_key(each),
        next_step=_NEXT.get(each.kind, ""),
        fields=_fields(each),
    )


def _fields(each: Transition) -> dict[str, Field]:
    about = of_cluster(_key(each), each.traits) if _key(each) else {}
    names: dict[str, Field] = {"cluster": each.cluster, "reason": each.reason}
    if each.configuration:
        names["fluxConfiguration"] = each.configuration
    return {**about, **names, "route": each.route}


def _key(each: Transition) -> str:
    """What it is about: an ARM id."""
    return each.configuration_id or each.cluster_id


def _name(transition: Transition) -> str:
    return f"{transition.cluster} / {transition.configuration}" if transition.configuration else transition.cluster
