"""Which fluxConfigurations a change moves, in which stage. Pure: of the change, the routes and what discovery found."""

from collections.abc import Iterable

from shared.config.models import Config, Route, Strategy
from shared.domain.changes import Change
from shared.domain.errors import Malformed
from shared.domain.observations import FluxConfiguration
from shared.domain.rollouts import Target, target_id
from shared.domain.selectors import matches_name, matches_paths, matches_ref
from shared.domain.sources import canonical_url

#: Flux follows this branch where a fluxConfiguration names none (fluxcd.io, GitRepository spec.ref).
DEFAULT_BRANCH = "master"


def routes_for(config: Config, change: Change) -> list[Route]:
    """The routes whose source, ref and paths the change fits, and which follow those who made it, in the order of the file."""
    return [
        route
        for route in config.routes
        if canonical_url(route.source.url) == change.url
        and matches_ref(change.ref, route.source.ref)
        and matches_paths(change.paths, route.source.paths)
        and (route.automation == "follow" or not change.automated)
    ]


def follows(found: FluxConfiguration, change: Change) -> bool:
    """Whether a fluxConfiguration follows the ref that moved.

    A branch moves those that name the branch and no tag. A tag moves those that are on a tag: they are set to the new one.
    One that chooses its tag by a semver range moves by itself, and is left to it.
    """
    try:
        if canonical_url(found.url) != change.url:
            return False
    except Malformed:
        return False
    if found.semver:
        return False
    if change.tag is not None:
        return bool(found.tag)
    return not found.tag and (found.branch or DEFAULT_BRANCH) == change.branch


def selected(route: Route, change: Change, found: Iterable[FluxConfiguration]) -> list[FluxConfiguration]:
    return [
        item for item in found if follows(item, change) and matches_name(item.name, route.configurations) and route.selector.matches(item)
    ]


def into_stages(strategy: Strategy, found: Iterable[FluxConfiguration], rollout_id: str) -> tuple[list[Target], int]:
    """The targets, each in the first stage that selects it, by stage and then by cluster name; and how many no stage selects."""
    staged = [(_stage_of(strategy, item), item) for item in found]
    placed = sorted(((s, item.cluster_name, item.id, item) for s, item in staged if s is not None), key=lambda p: p[:3])
    targets = [_target(item, rollout_id, stage, order) for order, (stage, _, _, item) in enumerate(placed)]
    return targets, len(staged) - len(placed)


def _stage_of(strategy: Strategy, item: FluxConfiguration) -> int | None:
    return next((index for index, stage in enumerate(strategy.stages) if stage.selector.matches(item)), None)


def _target(item: FluxConfiguration, rollout_id: str, stage: int, order: int) -> Target:
    return Target(
        id=target_id(item.id),
        rollout_id=rollout_id,
        stage=stage,
        order=order,
        configuration_id=item.id,
        configuration=item.name,
        cluster=item.cluster_name,
        subscription=item.subscription,
        before=item.observation,
    )
