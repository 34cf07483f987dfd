"""What a change does to every fluxConfiguration, and why. Pure: of the change, the routes and what discovery found."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from shared.config.models import Config, Route
from shared.config.strategies import Strategy, place
from shared.domain.changes import Change
from shared.domain.clusters import traits_of
from shared.domain.errors import Malformed
from shared.domain.flux_receivers import FluxReceiver, address_for
from shared.domain.following import RouteAction, why_not_moved
from shared.domain.observations import FluxConfiguration
from shared.domain.pins import SOURCE_KINDS, Pin, Substitutions, asked_pin, previous_pin
from shared.domain.rollouts import Target, target_id
from shared.domain.selectors import matches_name, matches_paths, matches_ref
from shared.domain.sources import SourceType, canonical_url, is_bucket, source_type
from shared.domain.templates import Unfilled, fill, parse_template
from shared.domain.versions import admits, is_lower
from shared.domain.windows import Calendar

UNSTAGED = "no stage selects its cluster"
_SOURCE_TYPES: dict[str, SourceType] = {kind: source for source, kind in SOURCE_KINDS.items()}

#: Whether a URL of that type is the change's source.
IsSource = Callable[[SourceType, str], bool]


@dataclass(frozen=True)
class Verdict:
    """What one route does with one fluxConfiguration: it moves it to `pin` in its stage number `stage`, or leaves it alone. With a
    `receiver` it is moved by calling that.

    `route` is "" where the reason is the fluxConfiguration's own, whatever the routes say.
    """

    found: FluxConfiguration
    route: str = ""
    stage: int | None = None
    pin: Pin | None = None
    receiver: FluxReceiver | None = None
    reason: str = ""  #: why it is left alone; "" where it is moved


@dataclass(frozen=True)
class _Candidate:
    """A route of the change's source; `misfit` says why it moves nothing at all."""

    route: Route
    strategy: Strategy
    misfit: str


def routes_for(config: Config, change: Change) -> list[Route]:
    """The routes whose source, ref and paths the change fits, and which follow those who made it, in the order of the file."""
    return [route for route in _routes_of_source(config, change) if not _misfit(route, change)]


def explain(config: Config, change: Change, found: Iterable[FluxConfiguration]) -> list[Verdict]:
    """A verdict for every fluxConfiguration and each route that could concern it, in the order of `found` and of the file.

    Of several routes the first that selects a fluxConfiguration has it, whatever it then does with it: so one change never moves
    it twice.
    """
    candidates = [
        _Candidate(route, config.strategy(route.strategy), _misfit(route, change) or _inaction(route))
        for route in _routes_of_source(config, change)
    ]
    is_source = _source_test(change)
    return [verdict for item in found for verdict in _verdicts(item, change, candidates, is_source)]


def targets_of(
    strategy: Strategy, verdicts: Iterable[Verdict], rollout_id: str, known_good: Mapping[str, Pin], *, with_traits: bool = False
) -> tuple[list[Target], tuple[Calendar, ...]]:
    """The targets of one route's rollout, by stage and then by cluster name, and the calendars that they keep to.

    `known_good`: by ARM id, see `previous_pin`. `with_traits`: the clusters' traits are kept, for alerts that ask for them.
    """
    moved = [(v.stage, v.pin, v.found, v.receiver) for v in verdicts if v.stage is not None and v.pin is not None]
    moved.sort(key=lambda each: (each[0], each[2].cluster_name, each[2].id))
    calendars, places = place(strategy, [(stage, found) for stage, _, found, _ in moved])
    targets = [
        Target(
            id=target_id(found.id),
            rollout_id=rollout_id,
            stage=stage,
            order=order,
            configuration_id=found.id,
            configuration=found.name,
            cluster=found.cluster_name,
            subscription=found.subscription,
            before=found.observation,
            pin=pin,
            previous=None if receiver else previous_pin(found, pin, known_good.get(found.id)),
            receiver=receiver,
            calendar=places[order],
            namespace=found.namespace,
            kustomizations=tuple(sorted(found.kustomizations)),
            traits=traits_of(found) if with_traits else None,
        )
        for order, (stage, pin, found, receiver) in enumerate(moved)
    ]
    return targets, calendars


def _routes_of_source(config: Config, change: Change) -> list[Route]:
    is_source = _source_test(change)
    return [route for route in config.routes if is_source(source_type(route.source.url), route.source.url)]


def _source_test(change: Change) -> IsSource:
    @cache  # a fleet writes one address in few ways
    def is_source(kind: SourceType, url: str) -> bool:
        try:
            return kind == change.source_kind and canonical_url(url) == change.url
        except Malformed:
            return False

    return is_source


def _misfit(route: Route, change: Change) -> str:
    """Why a change of the route's source does not concern the route; "" where it does."""
    source = route.source
    if not is_bucket(change.source_kind) and not matches_ref(change.ref, source.ref):
        return f"follows {source.ref}"
    if not matches_paths(change.paths, source.paths):
        return "none of its paths was touched"
    if route.automation == "ignore" and change.automated:
        return "ignores what automation pushes"
    if source.semver is not None and not admits(source.semver, change.tag or ""):
        return f"the tag is no version in {source.semver}"
    return ""


def _inaction(route: Route) -> str:
    return "only observes" if route.action == "observe" else ""


def _verdicts(item: FluxConfiguration, change: Change, candidates: list[_Candidate], is_source: IsSource) -> Iterator[Verdict]:
    if own := _own_reason(item, change, candidates, is_source):
        yield Verdict(item, reason=own)
        return
    if not candidates:
        yield Verdict(item, reason="no route follows its source")
    holder = ""
    for candidate in candidates:
        name = candidate.route.name
        reason = candidate.misfit or why_not_moved(candidate.route.action, item, change) or _unselected(candidate.route, item)
        reason = reason or (holder and f"route {holder} has it")
        yield Verdict(item, route=name, reason=reason) if reason else _placed(candidate, item, change)
        holder = holder or ("" if reason else name)


def _own_reason(item: FluxConfiguration, change: Change, candidates: list[_Candidate], is_source: IsSource) -> str:
    """Why the fluxConfiguration does not follow what has moved, whichever of the routes is asked; "" where it does for one of them."""
    kind = _SOURCE_TYPES.get(item.source_kind)
    if kind is None:
        return f"its source is a {item.source_kind}, which has no revision to ask for"
    if not is_source(kind, item.url):
        return "follows another source"
    actions: set[RouteAction] = {candidate.route.action for candidate in candidates} or {"pin"}
    reasons = {why_not_moved(action, item, change) for action in actions}
    return reasons.pop() if len(reasons) == 1 else ""


def _unselected(route: Route, item: FluxConfiguration) -> str:
    if not matches_name(item.name, route.configurations):
        return "its name is none of the route's configurations"
    return "" if route.selector.matches(item) else "the route's selector does not match"


def _placed(candidate: _Candidate, item: FluxConfiguration, change: Change) -> Verdict:
    """The verdict of the route that has it."""
    route = candidate.route
    if route.source.semver is not None and is_lower(change.tag or "", item.tag):
        return Verdict(item, route=route.name, reason="is on a newer version already")
    stage = next((index for index, stage in enumerate(candidate.strategy.stages) if stage.selector.matches(item)), None)
    if stage is None:
        return Verdict(item, route=route.name, reason=UNSTAGED)
    try:
        pin, receiver = asked_pin(change, _substitutions(route, item)), _receiver(route, item)
    except Unfilled as unfilled:
        return Verdict(item, route=route.name, reason=str(unfilled))
    return Verdict(item, route=route.name, stage=stage, pin=pin, receiver=receiver)


def _receiver(route: Route, item: FluxConfiguration) -> FluxReceiver | None:
    """The cluster's Receiver, where the route calls it. Raises Unfilled."""
    told = route.receiver
    if told is None:
        return None
    return FluxReceiver(
        address=address_for(parse_template(told.address), item, told.allowed_hosts),
        token_ref=told.token_ref,
        name=told.name or "",
        namespace=told.namespace or "",
        private_addresses=told.private_addresses,
    )


def _substitutions(route: Route, item: FluxConfiguration) -> Substitutions:
    """The route's values for each kustomization that is given them. Raises Unfilled."""
    values: dict[str, str | None] = {}
    for name, template in route.substitute.items():
        try:
            values[name] = fill(parse_template(template), item)
        except Unfilled as unfilled:
            raise Unfilled(f"value {name}: {unfilled}") from None
    return {name: values for name in item.kustomizations if values and matches_name(name, route.kustomizations)}
