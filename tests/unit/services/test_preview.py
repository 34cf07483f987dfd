"""A change planned without doing it."""

from typing import Any

import pytest
from builders import NOW, a_change, a_flux_configuration, an_observation, sha
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.messages import PlanChange
from shared.domain.pace import ARM_WRITES
from shared.domain.pins import Pin
from shared.services.preview import Preview, preview

BURST, SECONDS = ARM_WRITES.burst, 1 / ARM_WRITES.per_second


def of(clusters: int, text: str = CONFIG, **fields: Any) -> Preview:
    found = [a_flux_configuration(number, **fields) for number in range(clusters)]
    return preview(load_text(text), a_change(1), found, NOW)


def test_updates_are_listed_by_stage_with_what_they_have_and_get() -> None:
    (route,) = of(10).routes
    assert (route.route, route.action, route.unstaged) == ("platform", "pin", 0)
    assert [(s.stage.name, s.max_concurrency, s.opens_seconds, len(s.updates)) for s in route.stages] == [
        ("canary", 5, 0, 2),
        ("prod", 4, 60, 8),
    ]
    first = route.stages[0].updates[0]
    assert (first.cluster, first.synced, first.compliance) == ("cluster-000", f"main@sha1:{sha(0)}", "Compliant")
    assert (first.pin, first.previous) == (Pin(revision=sha(1), branch="main"), Pin(revision=sha(0), branch="main"))


def test_the_moments_are_those_that_the_limit_of_each_subscription_allows() -> None:
    one = CONFIG.replace(", strategy: rings", "")
    (route,) = of(BURST + 3, one).routes
    moments = [update.earliest_seconds for update in route.stages[0].updates]
    assert moments[:BURST] == [0] * BURST
    assert moments[BURST:] == pytest.approx([SECONDS, 2 * SECONDS, 3 * SECONDS], abs=0.001)
    found = [a_flux_configuration(number, subscription=f"sub-{number % 2}") for number in range(2 * BURST)]
    (route,) = preview(load_text(one), a_change(1), found, NOW).routes
    assert {update.earliest_seconds for update in route.stages[0].updates} == {0}


def test_a_later_stage_begins_after_the_last_of_the_one_before_and_its_wait() -> None:
    (route,) = of(BURST + 100, CONFIG.replace("{ring: canary}", '{ring: "*"}')).routes
    canary, prod = route.stages
    assert canary.updates[-1].earliest_seconds == pytest.approx(100 * SECONDS, abs=0.001)
    assert prod.opens_seconds == pytest.approx(100 * SECONDS + 60, abs=0.001)
    assert prod.updates == ()


def test_who_is_left_alone_is_named_with_the_reason() -> None:
    found = [
        a_flux_configuration(1, tags={}),
        a_flux_configuration(2, branch="release"),
        a_flux_configuration(3, observation=an_observation(compliance="Pending", revision="")),
    ]
    made = preview(load_text(CONFIG), a_change(1), found, NOW)
    assert [(item.cluster, item.route, item.reason) for item in made.left_alone] == [
        ("cluster-001", "platform", "no stage selects its cluster"),
        ("cluster-002", "", "follows another branch"),
    ]
    (route,) = made.routes
    assert route.unstaged == 1
    assert [update.previous for stage in route.stages for update in stage.updates] == [None]


def test_a_route_that_only_observes_updates_nothing() -> None:
    made = of(2, CONFIG.replace("action: pin", "action: observe"))
    assert [(route.action, route.stages) for route in made.routes] == [("observe", ())]
    assert {item.reason for item in made.left_alone} == {"only observes"}


def test_what_a_route_requires_is_shown_where_it_moves_something() -> None:
    text = CONFIG.replace("maxBodyBytes: 4096", "events: [push, status]")
    text = text.replace("strategy: rings", "strategy: rings, requires: {checks: [ci/build]}")
    (route,) = of(2, text).routes
    assert route.requires is not None
    assert (route.requires.checks, route.requires.within) == (("ci/build",), "2h")
    assert [route.requires for route in of(2, text, branch="release").routes] == [None]
    assert [route.requires for route in of(2).routes] == [None]


def test_a_deleted_ref_moves_nothing() -> None:
    made = preview(load_text(CONFIG), a_change(1, kind="deleted", revision=""), [a_flux_configuration(1)], NOW)
    assert (made.routes, made.left_alone) == ((), ())


async def test_what_is_planned_is_what_was_foretold(world: World) -> None:
    world.fleet.found = [a_flux_configuration(number) for number in range(40)]
    change = a_change(1)
    foretold = preview(world.config, change, world.fleet.found, NOW)
    await world.changes.record(change)
    await world.plan()(PlanChange(source=change.source, change_id=change.id))
    targets = sorted(world.rollouts.kept_targets.all(), key=lambda target: target.order)
    updates = [(index, u) for index, stage in enumerate(foretold.routes[0].stages) for u in stage.updates]
    assert [(t.stage, t.configuration_id, t.pin, t.previous) for t in targets] == [
        (index, u.configuration_id, u.pin, u.previous) for index, u in updates
    ]
