"""A cluster's Flux tells how it fares."""

from typing import Any

from builders import NOW, a_rollout, a_stage, a_target, an_observation, at, resource_id, sha
from msgspec.structs import replace
from worlds import World

from shared.domain.flux_reports import FluxReport
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.rollouts import Target, target_id

SYNCED = f"main@sha1:{sha(1)}"


def waiting(world: World, name: str = "platform", rollout: str = "rollout-1", stage: Any = None, **fields: Any) -> None:
    """A target of fluxConfiguration `name` that was updated at NOW, in a rollout that waits for it."""
    whole = resource_id(0, name=name)
    world.rollouts.kept.put(rollout, a_rollout(stage or a_stage(state="running", counts={"applied": 1}), id=rollout))
    world.rollouts.listed[rollout] = NOW
    values: dict[str, Any] = {
        "id": target_id(whole),
        "rollout_id": rollout,
        "configuration_id": whole,
        "configuration": name,
        "state": "applied",
        "applied_at": NOW,
        "kustomizations": ("apps",),
    }
    told = a_target(0, **values | fields)
    world.rollouts.kept_targets.put((rollout, told.id), told)


def target(world: World, name: str = "platform", rollout: str = "rollout-1") -> Target:
    return world.rollouts.kept_targets.now((rollout, target_id(resource_id(0, name=name))))


def a_report(seconds: float = 10, **fields: Any) -> FluxReport:
    values: dict[str, Any] = {
        "cluster_id": resource_id(0).partition("/providers/microsoft.kubernetesconfiguration")[0],
        "namespace": "cluster-config",
        "kind": "Kustomization",
        "name": "platform-apps",
        "revision": SYNCED,
        "severity": "info",
        "reason": "ReconciliationSucceeded",
        "message": "Reconciliation finished",
        "at": at(seconds),
    }
    return FluxReport(**values | fields)


async def report(world: World, told: FluxReport, seconds: float = 12) -> bool:
    world.clock.now = at(seconds)
    return await world.report_flux()(told)


async def test_success_is_recorded_and_the_next_step_finds_the_target_compliant(world: World) -> None:
    waiting(world)
    assert await report(world, a_report())
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]
    await world.step()("rollout-1")
    assert target(world).state == "compliant"


async def test_what_is_told_twice_is_recorded_once(world: World) -> None:
    waiting(world)
    assert [await report(world, a_report()), await report(world, a_report(), 13)] == [True, False]
    assert len(world.queue.sent) == 1


async def test_a_report_that_decides_nothing_yet_is_kept_and_wakes_nobody(world: World) -> None:
    waiting(world, kustomizations=("apps", "infra"))
    assert await report(world, a_report())
    assert (list(target(world).reports), target(world).observation, world.queue.sent) == (["apps"], None, [])


async def test_names_with_hyphens_find_the_one_that_has_such_a_kustomization(world: World) -> None:
    waiting(world, "edge", "rollout-1", kustomizations=("apps-eu",))
    waiting(world, "edge-apps", "rollout-2", kustomizations=("shop",))
    assert await report(world, a_report(name="edge-apps-eu"))
    assert (bool(target(world, "edge").reports), bool(target(world, "edge-apps", "rollout-2").reports)) == (True, False)
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


async def test_reports_that_concern_no_target_store_nothing(world: World) -> None:
    waiting(world)
    before = world.faults.writes
    other = resource_id(1).partition("/providers/microsoft.kubernetesconfiguration")[0]
    for told in (a_report(cluster_id=other), a_report(kind="GitRepository"), a_report(reason="Progressing"), a_report(name="shop-apps")):
        assert not await report(world, told)
    assert (world.faults.writes, world.queue.sent) == (before, [])


async def test_a_rollout_that_is_listed_and_not_there_yet_is_passed_over(world: World) -> None:
    waiting(world)
    world.rollouts.listed["rollout-2"] = NOW
    assert await report(world, a_report())


async def test_a_compliant_target_listens_only_while_its_stage_bakes(world: World) -> None:
    failed = a_report(severity="error", reason="HealthCheckFailed", message="unhealthy")
    waiting(world, state="compliant")
    assert not await report(world, failed)
    baking = a_stage(state="running", counts={"compliant": 1}, done_at=NOW, bake_seconds=600)
    waiting(world, stage=baking, state="compliant")
    assert await report(world, failed)
    assert target(world).has_news


async def test_a_target_that_was_changed_meanwhile_is_told_again(world: World) -> None:
    waiting(world)
    world.rollouts.kept_targets.meanwhile = lambda: world.rollouts.kept_targets.put(
        ("rollout-1", target(world).id), replace(target(world), reason="someone was here")
    )
    assert await report(world, a_report())
    assert (target(world).reason, target(world).observation) == (
        "someone was here",
        an_observation(12, revision=SYNCED, provisioning="", reported_at=at(10)),
    )


async def test_a_target_that_has_moved_on_meanwhile_is_left_alone(world: World) -> None:
    waiting(world)
    world.rollouts.kept_targets.meanwhile = lambda: world.rollouts.kept_targets.put(
        ("rollout-1", target(world).id), replace(target(world), state="failed")
    )
    assert not await report(world, a_report())
    assert (target(world).reports, world.queue.sent) == ({}, [])
