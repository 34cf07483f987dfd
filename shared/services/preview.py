"""A change planned without doing it: who would be updated, in which stage and slot, and why everyone else is not. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from shared.config.fields import seconds
from shared.config.models import Config, Route
from shared.config.requires import Requires
from shared.config.strategies import Stage
from shared.domain.changes import Change
from shared.domain.observations import FluxConfiguration
from shared.domain.pace import Pace, reserve
from shared.domain.pins import Pin
from shared.domain.record import Record
from shared.domain.rollouts import Target
from shared.services.matching import UNSTAGED, Verdict, explain, routes_for, targets_of


class Update(Record, frozen=True):
    """One fluxConfiguration that would be written."""

    configuration_id: str  #: ARM id
    configuration: str
    cluster: str
    subscription: str
    earliest_seconds: float  #: after the rollout's beginning; see `preview`
    synced: str  #: revision that it has now, as Flux writes it
    compliance: str
    pin: Pin | None  #: what would be asked for
    previous: Pin | None  #: what a rollback would ask for, as far as the fleet itself can tell


class StagePreview(Record, frozen=True):
    """A stage and its updates, in the order in which they would be written."""

    stage: Stage  #: as sluice.yaml has it
    max_concurrency: int  #: of so many clusters
    opens_seconds: float  #: at the earliest, after the rollout's beginning
    updates: tuple[Update, ...]


class RoutePreview(Record, frozen=True):
    """One rollout: what one route would do. `stages` is empty where the route only observes, or moves nothing."""

    route: str
    action: str
    unstaged: int
    stages: tuple[StagePreview, ...]
    requires: Requires | None = None  #: what the first stage with clusters waits for, beside its own gates


class LeftAlone(Record, frozen=True):
    """A fluxConfiguration that a route does not move, and why. Without a route the reason is its own."""

    configuration_id: str
    configuration: str
    cluster: str
    route: str
    reason: str


class Preview(Record, frozen=True):
    """All that a change would do."""

    change: Change
    routes: tuple[RoutePreview, ...]  #: those that the change fits, in the order of the file
    left_alone: tuple[LeftAlone, ...]


class SavedFleet(Record, frozen=True):
    """A fleet in a file, so that a plan can be made again without asking Azure."""

    version: Literal[1]
    configurations: tuple[FluxConfiguration, ...]


def preview(config: Config, change: Change, found: Sequence[FluxConfiguration], now: datetime) -> Preview:
    """What planning would make of a change that is the next one of its ref. A deleted ref moves nothing.

    The moments are the earliest that ARM's limit allows, from full buckets and as if every cluster were compliant at once: each
    stage opens when the last update of the one before is written, and its bake and its wait are over; gates are taken to open, and
    windows to be open, at once. Every rollout is counted for itself.
    """
    routes = routes_for(config, change) if change.kind != "deleted" else []
    verdicts = explain(config, change, found) if change.kind != "deleted" else []
    by_route: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_route[verdict.route].append(verdict)
    return Preview(
        change=change,
        routes=tuple(_route(config, route, by_route[route.name], now) for route in routes),
        left_alone=tuple(_left_alone(verdict) for verdict in verdicts if verdict.pin is None),
    )


def _route(config: Config, route: Route, verdicts: list[Verdict], now: datetime) -> RoutePreview:
    strategy = config.strategy(route.strategy)
    targets, _ = targets_of(strategy, verdicts, route.name, {})
    stages = strategy.stages if targets else ()
    unstaged = sum(verdict.reason == UNSTAGED for verdict in verdicts)
    return RoutePreview(
        route=route.name,
        action=route.action,
        unstaged=unstaged,
        stages=tuple(_stages(stages, targets, now)),
        requires=route.requires if targets else None,
    )


def _stages(stages: Iterable[Stage], targets: list[Target], now: datetime) -> Iterable[StagePreview]:
    paces: dict[str, Pace] = {}
    opens = now
    for index, stage in enumerate(stages):
        own = [target for target in targets if target.stage == index]
        slots = _slots(own, paces, opens)
        yield StagePreview(
            stage=stage,
            max_concurrency=stage.concurrency(len(own)),
            opens_seconds=(opens - now).total_seconds(),
            updates=tuple(_update(target, slots[target.id], now) for target in sorted(own, key=lambda t: (slots[t.id], t.order))),
        )
        opens = max(slots.values(), default=opens) + timedelta(seconds=seconds(stage.after_stage_wait) + seconds(stage.bake))


def _slots(targets: list[Target], paces: dict[str, Pace], opens: datetime) -> dict[str, datetime]:
    """When each target may be written; calls of Receivers have no pace. `paces` is brought forward: a bucket a subscription, for all
    stages.
    """
    slots = {target.id: opens for target in targets if target.receiver}
    for subscription in dict.fromkeys(target.subscription for target in targets):
        own = [target.id for target in targets if target.subscription == subscription and target.id not in slots]
        paces[subscription], moments = reserve(paces.get(subscription, Pace(id=subscription)), len(own), opens)
        slots |= dict(zip(own, moments, strict=True))
    return slots


def _update(target: Target, slot: datetime, now: datetime) -> Update:
    seen = target.before
    return Update(
        configuration_id=target.configuration_id,
        configuration=target.configuration,
        cluster=target.cluster,
        subscription=target.subscription,
        earliest_seconds=round((slot - now).total_seconds(), 3),
        synced=seen.revision if seen else "",
        compliance=seen.compliance if seen else "",
        pin=target.pin,
        previous=target.previous,
    )


def _left_alone(verdict: Verdict) -> LeftAlone:
    found = verdict.found
    return LeftAlone(
        configuration_id=found.id,
        configuration=found.name,
        cluster=found.cluster_name,
        route=verdict.route,
        reason=verdict.reason,
    )
