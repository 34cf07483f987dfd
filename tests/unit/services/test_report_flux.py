"""A cluster's Flux tells how it fares."""

import hmac
import json
from typing import Any

import pytest
from builders import NOW, a_rollout, a_stage, a_target, an_observation, at, resource_id, sha
from msgspec.structs import replace
from worlds import World

from shared.config.loader import load_text
from shared.domain.announcements import Announcement
from shared.domain.errors import Refused
from shared.domain.flux_reports import FluxReport
from shared.domain.messages import NOTIFICATIONS, ROLLOUT_STEPS, StepRollout
from shared.domain.rollouts import Target, target_id
from shared.receivers.flux import cluster_token

SYNCED = f"main@sha1:{sha(1)}"
CLUSTER = resource_id(0).partition("/providers/microsoft.kubernetesconfiguration")[0]


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
        "cluster_id": CLUSTER,
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


def a_failure(**fields: Any) -> FluxReport:
    return a_report(**{"severity": "error", "reason": "HealthCheckFailed", "message": "unhealthy"} | fields)


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
    for said in (a_report(cluster_id=other), a_report(kind="GitRepository"), a_report(reason="Progressing"), a_report(name="shop-apps")):
        assert not await report(world, said)
    assert (world.faults.writes, world.queue.sent) == (before, [])


async def test_a_report_of_another_namespace_is_not_of_the_target(world: World) -> None:
    waiting(world)
    assert not await report(world, a_report(namespace="default"))
    assert target(world).reports == {}


async def test_a_report_that_is_faster_than_the_record_of_the_update_is_to_come_again(world: World) -> None:
    waiting(world, state="queued", applied_at=None, slot=at(5))
    with pytest.raises(Refused, match="update-under-way") as refused:
        await report(world, a_report())
    assert (refused.value.status, refused.value.explain, world.faults.writes) == (503, True, 0)
    waiting(world, slot=at(5), applied_at=at(6))
    assert await report(world, a_report(), 14)


async def told(world: World) -> list[Announcement]:
    """What people read, once everything collected is posted."""
    world.clock.pass_(3600)
    for message in world.queue.messages(NOTIFICATIONS):
        await world.post()(message)
    return [announcement for sent in world.provider.sent for announcement in sent]


async def test_trouble_outside_every_rollout_is_told_with_the_clusters_that_have_it(world: World) -> None:
    for number in (1, 2, 1):
        cluster = resource_id(number).partition("/providers/microsoft.kubernetesconfiguration")[0]
        failed = a_failure(kind="HelmRelease", name="till", cluster_id=cluster, message=f"after {number} s: timed out", revision="1.2.3")
        assert not await report(world, failed, 12 + number)
    assert [sent.not_before for sent in world.queue.sent] == [at(133)] * 2
    (announcement,) = await told(world)
    assert (announcement.kind, announcement.severity, announcement.title) == (
        "flux.alert",
        "error",
        "Flux: HelmRelease cluster-config/till fails on 2 clusters: HealthCheckFailed",
    )
    assert announcement.facts == (("Object", "HelmRelease cluster-config/till"), ("Revision", "1.2.3"))
    assert [(line.name, line.reason) for line in announcement.clusters] == [
        ("cluster-001", "after 1 s: timed out"),
        ("cluster-002", "after 2 s: timed out"),
    ]


async def test_a_storm_is_one_message_that_counts_the_clusters(world: World) -> None:
    for number in range(150):
        cluster = f"{CLUSTER[:-3]}{number:03}"
        await report(world, a_failure(kind="GitRepository", name="platform", cluster_id=cluster, message=""), 12)
    (announcement,) = await told(world)
    assert (len(announcement.clusters), announcement.more_clusters) == (25, 125)
    assert {line.reason for line in announcement.clusters} == {"HealthCheckFailed"}


async def test_different_troubles_within_a_minute_share_messages_of_fifty(world: World) -> None:
    for number in range(120):
        await report(world, a_failure(kind="HelmRelease", name=f"app-{number}"), 12)
    assert len(await told(world)) == 120
    assert [len(sent) for sent in world.provider.sent] == [50, 50, 20]


async def test_the_same_trouble_is_told_once_an_hour(world: World) -> None:
    failed = a_failure(kind="HelmRelease", name="till")
    await report(world, failed, 12)
    assert len(await told(world)) == 1
    for seconds in (3590, 3600, 4200):  # NOW is a full hour
        await report(world, failed, seconds)
        await told(world)
    assert len(world.provider.sent) == 2


async def test_trouble_of_a_rollout_s_target_is_told_by_the_rollout_alone(world: World) -> None:
    waiting(world, state="failed")
    assert not await report(world, a_failure())
    assert not await report(world, a_failure(kind="GitRepository", name="platform", reason="GitOperationFailed"))
    assert (world.queue.sent, world.faults.writes) == ([], 0)
    world.rollouts.listed.clear()  # it is over
    await report(world, a_failure())
    assert len(await told(world)) == 1


async def delivered(world: World, **fields: Any) -> tuple[int, object]:
    """The answer to cluster 0, which posts an event about platform-apps."""
    event = {
        "involvedObject": {"kind": "Kustomization", "namespace": "cluster-config", "name": "platform-apps"},
        "severity": "info",
        "timestamp": at(10).isoformat(),
        "message": "Reconciliation finished",
        "reason": "ReconciliationSucceeded",
        "metadata": {"revision": SYNCED, "clusterArmId": CLUSTER},
    }
    body = json.dumps(event | fields).encode()
    signature = hmac.digest(cluster_token("new", CLUSTER).encode(), body, "sha256").hex()
    world.config = load_text("apiVersion: sluice/v1\nreceivers: [{name: flux, type: flux, secretRef: kv://sluice/github}]")
    world.clock.now = at(12)
    answer = await world.receive()("flux", {"X-Signature": f"sha256={signature}"}, body)
    return answer.status, answer.body


async def test_an_event_that_is_delivered_twice_has_one_effect(world: World) -> None:
    waiting(world)
    assert [await delivered(world) for _ in range(2)] == [(202, {"ok": "info"}), (200, {"ok": "info"})]
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


async def test_an_event_that_is_early_is_to_be_delivered_again(world: World) -> None:
    waiting(world, state="queued", applied_at=None, slot=at(5))
    assert await delivered(world) == (503, {"error": "update-under-way: deliver again"})


async def test_traces_are_ignored(world: World) -> None:
    waiting(world)
    assert await delivered(world, severity="trace") == (200, {"ignored": "trace"})


async def test_a_rollout_that_is_listed_and_not_there_yet_is_passed_over(world: World) -> None:
    waiting(world)
    world.rollouts.listed["rollout-2"] = NOW
    assert await report(world, a_report())


async def test_a_compliant_target_listens_only_while_its_stage_bakes(world: World) -> None:
    failed = a_failure()
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
