"""A recorded change becomes rollouts."""

import asyncio
import random
from typing import Any

import pytest
from builders import a_change, a_flux_configuration, a_rollout, a_target, an_observation, at, resource_id, sha
from fakes import Killed
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.changes import Change
from shared.domain.configurations import Configuration, cluster_id, configuration_id
from shared.domain.errors import Conflict, NotFound, Unavailable
from shared.domain.messages import CHANGES, ROLLOUT_STEPS, PlanChange, StepRollout
from shared.domain.pins import Pin
from shared.domain.rollouts import Rollout, rollout_id, target_id
from shared.services.matching import explain


def fill(world: World, clusters: int = 10) -> None:
    world.fleet.found = [a_flux_configuration(number) for number in range(clusters)]


def message(change: Change) -> PlanChange:
    return PlanChange(source=change.source, change_id=change.id)


async def record(world: World, *changes: Change) -> None:
    for change in changes:
        await world.changes.mark_unplanned(change)
        await world.changes.record(change)


async def plan(world: World, *changes: Change) -> None:
    await record(world, *changes)
    for change in changes:
        await world.plan()(message(change))


def going_on(world: World) -> list[Rollout]:
    return [rollout for rollout in world.rollouts.kept.all() if rollout.state == "running"]


async def test_a_change_becomes_a_rollout_of_the_clusters_that_follow_it(world: World) -> None:
    fill(world)
    await plan(world, a_change(1))
    (rollout,) = world.rollouts.kept.all()
    assert (rollout.id, rollout.revision, rollout.state) == (rollout_id(a_change(1).id, "platform"), sha(1), "running")
    assert [(s.name, s.total, s.max_concurrency, s.counts) for s in rollout.stages] == [
        ("canary", 2, 5, {"pending": 2}),
        ("prod", 8, 4, {"pending": 8}),
    ]
    targets = sorted(world.rollouts.kept_targets.all(), key=lambda target: target.order)
    assert [target.cluster for target in targets[:3]] == ["cluster-000", "cluster-005", "cluster-001"]
    assert all(target.before is not None for target in targets)
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id=rollout.id)]
    assert set(world.rollouts.listed) == {rollout.id}
    assert world.changes.waiting.all() == []
    assert world.fleet.asked == ["platform"]


async def test_the_same_message_twice_makes_nothing_twice(world: World) -> None:
    fill(world)
    await plan(world, a_change(1))
    before = (world.rollouts.kept.all(), world.rollouts.kept_targets.all(), world.audit.actions())
    await world.plan()(message(a_change(1)))
    assert (world.rollouts.kept.all(), world.rollouts.kept_targets.all(), world.audit.actions()) == before
    assert len(world.queue.messages(ROLLOUT_STEPS)) == 2


async def test_a_change_that_is_not_recorded_is_an_error(world: World) -> None:
    with pytest.raises(NotFound):
        await world.plan()(message(a_change(1)))


async def test_an_older_change_that_comes_later_starts_nothing(world: World) -> None:
    fill(world)
    await plan(world, a_change(2), a_change(1))
    assert [rollout.revision for rollout in world.rollouts.kept.all()] == [sha(2)]
    assert "change.stale" in world.audit.actions()
    assert world.changes.waiting.all() == []


async def test_a_newer_change_takes_the_place_of_a_running_rollout(world: World) -> None:
    fill(world)
    await plan(world, a_change(1), a_change(2))
    old, new = (world.rollouts.kept.now(rollout_id(a_change(n).id, "platform")) for n in (1, 2))
    assert (old.state, old.superseded_by, new.state) == ("superseded", new.id, "running")
    assert old.sequence < new.sequence
    assert world.queue.messages(ROLLOUT_STEPS).count(StepRollout(rollout_id=old.id)) == 2


async def test_what_lies_between_two_changes_that_do_not_follow_each_other_fits_every_path(world: World) -> None:
    world.config = load_text(CONFIG.replace("ref: refs/heads/main}", 'ref: refs/heads/main, paths: ["clusters/**"]}'))
    fill(world)
    await plan(world, a_change(1, paths=("clusters/a",)), a_change(2, paths=("docs/a",)))
    assert len(world.rollouts.kept.all()) == 1
    await plan(world, a_change(4, paths=("docs/a",)))
    assert [rollout.revision for rollout in going_on(world)] == [sha(4)]


@pytest.mark.parametrize(
    ("old", "new"),
    [("action: pin, strategy: rings", "action: observe"), ("ref: refs/heads/main", "ref: refs/heads/release")],
    ids=["a route that observes", "another ref"],
)
async def test_without_a_route_that_pins_the_fleet_is_not_even_looked_at(world: World, old: str, new: str) -> None:
    world.config = load_text(CONFIG.replace(old, new))
    fill(world)
    await plan(world, a_change(1))
    assert (world.rollouts.kept.all(), world.fleet.asked) == ([], [])
    assert world.changes.waiting.all() == []


async def test_a_route_may_ignore_what_automation_pushed(world: World) -> None:
    fill(world, 1)
    (route,) = world.config.routes
    world.config = replace(world.config, routes=(replace(route, automation="ignore"), replace(route, name="follows")))
    await plan(world, a_change(1, automated=True))
    assert [rollout.route for rollout in world.rollouts.kept.all()] == ["follows"]
    await plan(world, a_change(2))
    assert [rollout.route for rollout in world.rollouts.kept.all() if rollout.revision == sha(2)] == ["platform"]


async def test_automation_that_follows_on_a_push_that_was_not_seen_is_not_ignored(world: World) -> None:
    fill(world, 1)
    (route,) = world.config.routes
    world.config = replace(world.config, routes=(replace(route, automation="ignore"),))
    await plan(world, a_change(1))
    await plan(world, a_change(3, automated=True))
    assert {rollout.revision for rollout in world.rollouts.kept.all()} == {sha(1), sha(3)}


async def test_a_change_that_nobody_follows_is_noted(world: World) -> None:
    world.fleet.found = [
        a_flux_configuration(1, branch="release"),
        a_flux_configuration(2, url="https://github.com/contoso/other-platform"),
    ]
    await plan(world, a_change(1))
    assert world.rollouts.kept.all() == []
    assert "change.unfollowed" in world.audit.actions()


async def test_a_deleted_ref_moves_nothing(world: World) -> None:
    fill(world)
    deleted = a_change(2, kind="deleted", revision="")
    await plan(world, a_change(1), deleted, deleted)
    assert len(world.rollouts.kept.all()) == 1
    assert world.audit.actions().count("change.deleted") == 1


async def test_clusters_that_no_stage_selects_are_counted(world: World) -> None:
    fill(world, 4)
    world.fleet.found.append(a_flux_configuration(9, tags={"ring": "lab"}))
    await plan(world, a_change(1))
    (rollout,) = world.rollouts.kept.all()
    assert (rollout.total, rollout.unstaged) == (4, 1)


async def test_every_route_that_fits_has_a_rollout_of_its_own(world: World) -> None:
    second = "  - {name: apps, source: {url: git@github.com:contoso/platform.git}, configurations: [apps], action: pin}\nproviders:"
    first = CONFIG.replace("action: pin, strategy: rings", "configurations: [platform], action: pin, strategy: rings")
    world.config = load_text(first.replace("providers:", second))
    world.fleet.found = [a_flux_configuration(1), a_flux_configuration(1, name="apps")]
    await plan(world, a_change(1), a_change(2))
    assert sorted((rollout.route, rollout.revision, rollout.total) for rollout in going_on(world)) == [
        ("apps", sha(2), 1),
        ("platform", sha(2), 1),
    ]
    assert len(world.fleet.asked) == 2


async def test_two_rollouts_of_one_change_never_hold_the_same_target(world: World) -> None:
    second = "  - {name: second, source: {url: https://github.com/contoso/platform}, action: pin}\nproviders:"
    world.config = load_text(CONFIG.replace("providers:", second))
    fill(world, 4)
    world.fleet.found.append(a_flux_configuration(9, tags={"ring": "lab"}))
    await plan(world, a_change(1))
    assert [(rollout.route, rollout.total, rollout.unstaged) for rollout in world.rollouts.kept.all()] == [("platform", 4, 1)]
    assert world.audit.actions().count("change.unfollowed") == 1


async def test_targets_hold_what_is_asked_and_what_a_rollback_asks(world: World) -> None:
    world.config = load_text(CONFIG.replace("action: pin", 'substitute: {RING: "{tags.ring}"}, action: pin'))
    world.fleet.found = [a_flux_configuration(1, kustomizations={"apps": {"RING": "old"}})]
    await plan(world, a_change(1))
    (target,) = world.rollouts.kept_targets.all()
    assert target.pin == Pin(revision=sha(1), branch="main", substitutions={"apps": {"RING": "prod"}})
    assert target.previous == Pin(revision=sha(0), branch="main", substitutions={"apps": {"RING": "old"}})


NOT_COMPLIANT = an_observation(compliance="Non-Compliant", revision=f"main@sha1:{sha(1)}")


async def written_before(world: World, **fields: Any) -> None:
    """Cluster 1 was written by an earlier rollout, and is failing now."""
    earlier = a_rollout(id="earlier", source=fields.pop("source", a_change().source))
    target = a_target(1, id=target_id(resource_id(1)), rollout_id="earlier", **fields)
    world.rollouts.kept.put(earlier.id, earlier)
    world.rollouts.kept_targets.put((earlier.id, target.id), target)
    cluster, item = cluster_id(resource_id(1)), configuration_id(resource_id(1))
    record = Configuration(id=item, cluster_id=cluster, subscription="sub-1", rollout_id="earlier", revision=sha(1))
    world.configurations.kept.put((cluster, item), record)
    world.fleet.found = [a_flux_configuration(1, observation=NOT_COMPLIANT)]


OLD, NEW = Pin(revision=sha(5), branch="main"), Pin(revision=sha(6), branch="main")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "failed", "pin": NEW, "previous": OLD}, OLD),
        ({"state": "applied", "pin": NEW, "previous": OLD}, OLD),
        ({"state": "compliant", "pin": NEW, "previous": OLD}, NEW),
        ({"state": "failed", "pin": NEW, "previous": None}, None),
        ({"state": "failed", "pin": NEW, "previous": OLD, "source": "another"}, None),
    ],
    ids=["failed", "under way", "was compliant", "nothing known", "another source"],
)
async def test_what_is_failing_goes_back_to_what_the_last_rollout_knew_to_be_good(
    world: World, fields: dict[str, Any], expected: Pin | None
) -> None:
    await written_before(world, **fields)
    await plan(world, a_change(2))
    target = world.rollouts.kept_targets.now((rollout_id(a_change(2).id, "platform"), target_id(resource_id(1))))
    assert target.previous == expected


async def test_what_is_failing_and_was_never_written_has_nothing_to_go_back_to(world: World) -> None:
    world.fleet.found = [a_flux_configuration(1, observation=NOT_COMPLIANT)]
    await plan(world, a_change(2))
    assert [target.previous for target in world.rollouts.kept_targets.all()] == [None]


async def test_a_target_that_is_gone_knows_nothing(world: World) -> None:
    await written_before(world)
    world.rollouts.kept_targets.drop(("earlier", target_id(resource_id(1))))
    await plan(world, a_change(2))
    assert [target.previous for target in world.rollouts.kept_targets.all()] == [None]


async def test_a_pushed_artifact_is_planned_like_a_tag(world: World) -> None:
    artifact = "oci://contoso.azurecr.io/platform"
    world.config = load_text(CONFIG.replace("https://github.com/contoso/platform, ref: refs/heads/main", f"{artifact}, ref: refs/tags/*"))
    world.fleet.found = [a_flux_configuration(1, url=artifact, source_kind="OCIRepository", branch="", tag="v1"), a_flux_configuration(2)]
    digest = "ab" * 32
    await plan(world, a_change(1, url=artifact, source_kind="oci", ref="refs/tags/v2", revision=digest, before=""))
    (target,) = world.rollouts.kept_targets.all()
    assert target.pin == Pin(revision=digest, kind="OCIRepository", tag="v2")
    assert (target.cluster, world.fleet.asked) == ("cluster-001", ["platform"])


async def test_a_fleet_that_cannot_be_asked_leaves_the_change_to_be_planned(world: World) -> None:
    world.fleet.down = Unavailable("graph")
    with pytest.raises(Unavailable):
        await plan(world, a_change(1))
    fill(world)
    world.fleet.down = None
    await world.plan()(message(a_change(1)))
    assert len(going_on(world)) == 1


async def retry(world: World, change: Change) -> None:
    """As the queue does it: the message is there until it was handled."""
    for _ in range(10):
        try:
            await world.plan()(message(change))
        except (Killed, Unavailable, Conflict):
            continue
        return
    raise AssertionError("never planned")


def check_whole(world: World, newest: int) -> None:
    (rollout,) = going_on(world)
    assert rollout.revision == sha(newest)
    targets = [target for target in world.rollouts.kept_targets.all() if target.rollout_id == rollout.id]
    assert [sum(t.stage == index for t in targets) for index in (0, 1)] == [stage.total for stage in rollout.stages] == [2, 8]
    assert StepRollout(rollout_id=rollout.id) in world.queue.messages(ROLLOUT_STEPS)
    assert rollout.id in world.rollouts.listed
    assert world.changes.waiting.all() == []


async def count_writes(*changes: Change) -> int:
    world = World()
    fill(world)
    await record(world, *changes)
    start = world.faults.writes
    for change in changes:
        await world.plan()(message(change))
    return world.faults.writes - start


async def test_an_instance_that_dies_at_any_write_leaves_nothing_undone() -> None:
    writes = await count_writes(a_change(1))
    assert writes > 12
    for number in range(1, writes + 1):
        world = World()
        fill(world)
        await record(world, a_change(1))
        world.faults.die_at = world.faults.writes + number
        await retry(world, a_change(1))
        check_whole(world, newest=1)


async def test_an_instance_that_dies_at_any_write_while_a_newer_change_is_planned_leaves_one_rollout() -> None:
    writes = await count_writes(a_change(1))
    for number in range(1, writes + 1):
        world = World()
        fill(world)
        await record(world, a_change(1), a_change(2))
        world.faults.die_at = world.faults.writes + number
        with pytest.raises(Killed):
            await world.plan()(message(a_change(1)))
        await world.plan()(message(a_change(2)))
        await world.plan()(message(a_change(1)))
        check_whole(world, newest=2)


@given(st.integers(0, 2**32), st.permutations([1, 1, 2, 2, 3]), st.none() | st.integers(1, 60))
async def test_changes_that_are_planned_at_the_same_time_leave_one_rollout(seed: int, order: list[int], die_at: int | None) -> None:
    world = World()
    fill(world)
    await record(world, a_change(1), a_change(2), a_change(3))
    world.faults.pauses = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    world.faults.die_at = world.faults.writes + die_at if die_at else None
    await asyncio.gather(*(retry(world, a_change(number)) for number in order))
    check_whole(world, newest=3)
    superseded = [rollout for rollout in world.rollouts.kept.all() if rollout.state == "superseded"]
    assert len(superseded) == len(world.rollouts.kept.all()) - 1


async def test_a_change_whose_message_was_lost_is_found(world: World) -> None:
    await record(world, a_change(1))
    await world.plan().sweep()
    assert world.queue.messages(CHANGES) == []
    world.clock.pass_(121)
    await world.plan().sweep()
    assert world.queue.messages(CHANGES) == [message(a_change(1))]


async def test_a_mark_without_a_change_is_taken_away_in_the_end(world: World) -> None:
    await world.changes.mark_unplanned(a_change(1))
    world.clock.pass_(3599)
    await world.plan().sweep()
    assert world.changes.waiting.all()
    world.clock.pass_(2)
    await world.plan().sweep()
    assert world.changes.waiting.all() == []


@pytest.mark.parametrize(
    ("ref", "fields", "expected"),
    [
        ("refs/heads/main", {}, True),
        ("refs/heads/main", {"url": "git@github.com:Contoso/Platform"}, True),
        ("refs/heads/main", {"commit": sha(0)}, True),
        ("refs/heads/main", {"branch": "release"}, False),
        ("refs/heads/main", {"tag": "v1"}, False),
        ("refs/heads/main", {"branch": ""}, False),
        ("refs/heads/master", {"branch": ""}, True),
        ("refs/heads/main", {"semver": ">=1.0"}, False),
        ("refs/tags/v2", {"tag": "v1"}, True),
        ("refs/tags/v2", {}, False),
        ("refs/heads/main", {"url": "https://github.com/contoso/platform-2"}, False),
        ("refs/heads/main", {"url": ""}, False),
        ("refs/pull/1/merge", {}, False),
    ],
)
def test_a_configuration_follows_the_ref_that_it_names(ref: str, fields: dict[str, str], expected: bool) -> None:
    config = load_text(CONFIG.replace("ref: refs/heads/main", 'ref: "refs/*"'))
    (verdict,) = explain(config, a_change(1, ref=ref), [a_flux_configuration(1, **fields)])
    assert (verdict.stage is not None) is expected is (verdict.reason == "")


async def test_a_settled_rollout_stays_what_it_was(world: World) -> None:
    fill(world)
    await plan(world, a_change(1))
    (old,) = world.rollouts.kept.all()
    done = replace(old, state="succeeded", stages=tuple(replace(stage, counts={"compliant": stage.total}) for stage in old.stages))
    world.rollouts.kept.put(old.id, done)
    world.clock.now = at(60)
    await plan(world, a_change(2))
    assert world.rollouts.kept.now(old.id).state == "succeeded"
