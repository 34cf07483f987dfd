"""Clusters come to their baselines, whatever happens to messages, instances and Azure."""

import asyncio
from base64 import b64decode
from datetime import timedelta

import pytest
from builders import a_cluster, at
from fakes import Killed
from hypothesis import given
from hypothesis import strategies as st
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.clusters import Cluster
from shared.domain.errors import Busy, Rejected, Throttled, Unavailable, Upstream
from shared.domain.messages import ONBOARDING, OnboardCluster, VisitCluster
from shared.domain.onboarding_progress import Progress
from shared.domain.pace import ARM_WRITES, Pace
from shared.domain.policies import EXTENSION_DEFINITION, Policy

BASELINES = """
baselines:
  - name: edge
    selector: {tags: {ring: prod}}
    onRemoval: delete
    configurations:
      - name: infra
        namespace: flux-infra
        source: {kind: GitRepository, url: https://github.com/contoso/platform, branch: main}
        protectedSettings: {httpsKey: kv://sluice/git-key}
        kustomizations: [{name: infra, path: ./infra, postBuild: {substitute: {SITE: "{tags.site}"}}}]
      - name: apps
        namespace: flux-apps
        source: {kind: GitRepository, url: https://github.com/contoso/platform, branch: main}
        kustomizations: [{name: apps, path: ./apps, prune: true}]
"""
WHOLE = {("extension", "flux"), ("configuration", "infra"), ("configuration", "apps")}


def a_world(*clusters: Cluster, baselines: str = BASELINES) -> World:
    world = World(config=load_text(CONFIG + baselines))
    world.secrets.known["kv://sluice/git-key"] = "hunter2"
    world.arm.add(*clusters)
    return world


def progress(world: World, number: int = 0) -> Progress:
    return world.onboardings.kept.now(a_cluster(number).id)


async def announce(world: World, number: int = 0) -> None:
    await world.onboard()(OnboardCluster(cluster_id=a_cluster(number).id.upper()))


async def run(world: World, *, seconds: float = 3600, works: bool = True) -> None:
    """Delivers what is due, second by second where anything is; the agents keep up."""
    end = world.clock() + timedelta(seconds=seconds)
    while True:
        waiting = [sent for sent in world.queue.waiting if sent.queue == ONBOARDING]
        if not waiting:
            return
        due = min((sent.not_before or world.clock() for sent in waiting), default=end)
        if due > end:
            return
        world.clock.now = max(world.clock.now, due)
        for sent in [sent for sent in world.queue.visible() if sent.queue == ONBOARDING]:
            world.queue.waiting.remove(sent)
            await world.deliver(sent.queue, sent.message)
        if works:
            for model in world.arm.models.values():
                model.settle()


async def test_a_cluster_that_appears_comes_to_its_baseline() -> None:
    world = a_world(a_cluster())
    await announce(world)
    await run(world)
    model = world.arm.models[a_cluster().id]
    assert set(model.asked) == WHOLE
    assert (progress(world).state, progress(world).baseline) == ("done", "edge")
    assert [write.method for write in model.writes] == ["PUT"] * 3
    assert model.vain == []
    assert model.asked["configuration", "infra"]["kustomizations"]["infra"]["postBuild"] == {"substitute": {"SITE": "berlin"}}
    protected = model.secrets["configuration", "infra"]["httpsKey"]
    assert b64decode(protected) == b"hunter2"
    assert world.audit.actions() == ["baseline.written"] * 3
    assert not any("hunter2" in sent.text for sent in world.queue.sent)
    assert "hunter2" not in repr(progress(world))


async def test_no_look_goes_without_a_slot_and_each_writes_at_most_once() -> None:
    world = a_world(*(a_cluster(number) for number in range(20)))
    for number in range(20):
        await announce(world, number)
    await run(world)
    arrival = world.pace.kept.all()[0].theoretical_arrival
    assert arrival is not None
    writes = sum(len(model.writes) for model in world.arm.models.values())
    assert writes == 60
    assert world.arm.reads <= 20 * 8


async def test_a_cluster_that_no_baseline_has_leaves_no_trace() -> None:
    world = a_world(a_cluster(tags={"ring": "canary"}))
    await announce(world)
    await run(world)
    assert world.onboardings.kept.all() == []
    assert world.arm.models[a_cluster().id].writes == []


@pytest.mark.parametrize("cluster_id", ["", "/", f"{a_cluster().id}/x", a_cluster().id.replace("connectedclusters", "managedclusters")])
async def test_news_of_anything_but_a_connected_cluster_is_passed_over(cluster_id: str) -> None:
    world = a_world(a_cluster())
    await world.onboard()(OnboardCluster(cluster_id=cluster_id))
    assert world.queue.sent == []


async def test_without_baselines_news_of_clusters_cost_nothing() -> None:
    world = a_world(a_cluster(), baselines="")
    await announce(world)
    assert world.queue.sent == []
    await world.sweep_clusters()()
    assert world.clusters.asked == 0


async def test_a_cluster_that_is_gone_is_forgotten_and_what_was_made_on_it_is_recorded() -> None:
    world = a_world(a_cluster())
    await announce(world)
    await run(world)
    world.arm.models.clear()
    world.clock.pass_(3700)
    await world.sweep_clusters()()
    await run(world)
    assert world.onboardings.kept.all() == []
    assert world.audit.actions()[-1] == "cluster.gone"


async def test_one_that_resource_graph_does_not_show_yet_is_not_looked_for_again_and_again() -> None:
    world = a_world(a_cluster())
    await announce(world)
    await run(world)
    world.clusters.unseen.add(a_cluster().id)
    world.queue.sent.clear()
    await world.sweep_clusters()()
    assert world.queue.sent == []


# --- news and the sweep


async def test_news_of_our_own_writes_bring_no_look_forward() -> None:
    world = a_world(a_cluster())
    await announce(world)
    await run(world, seconds=5)
    visit, reads = progress(world).visit, world.arm.reads
    for _ in range(5):
        await announce(world)
    assert (progress(world).visit, world.arm.reads) == (visit, reads)


async def test_news_bring_a_late_look_forward() -> None:
    world = a_world(a_cluster(connectivity="Offline"))
    await announce(world)
    await run(world, seconds=60, works=False)
    assert progress(world).reason == "cluster is Offline"
    world.clock.pass_(30)
    world.arm.models[a_cluster().id].cluster = a_cluster()
    world.arm.models[a_cluster().id].settle()
    await announce(world)
    await run(world, seconds=120)
    assert progress(world).state == "done"


async def test_the_sweep_finds_what_no_event_has_told() -> None:
    world = a_world(a_cluster(0), a_cluster(1), a_cluster(2, tags={"ring": "canary"}))
    await world.sweep_clusters()()
    assert {message.cluster_id for message in world.queue.messages(ONBOARDING)} == {a_cluster(0).id, a_cluster(1).id}
    await run(world)
    world.queue.sent.clear()
    await world.sweep_clusters()()
    assert world.queue.sent == []


async def test_the_sweep_finds_a_cluster_whose_message_is_lost() -> None:
    world = a_world(a_cluster())
    await announce(world)
    world.queue.waiting.clear()
    world.clock.pass_(301)
    await world.sweep_clusters()()
    await run(world)
    assert progress(world).state == "done"


async def test_a_message_that_was_only_late_is_still_good() -> None:
    world = a_world(a_cluster())
    await announce(world)
    world.clock.pass_(400)
    late = list(world.queue.waiting)
    for _ in range(3):
        await world.sweep_clusters()()
        await world.onboard()(OnboardCluster(cluster_id=a_cluster().id))
    world.queue.waiting = late
    await run(world)
    assert progress(world).state == "done"


async def test_the_sweep_finds_a_cluster_that_is_back() -> None:
    world = a_world(a_cluster(connectivity="Offline"))
    await announce(world)
    await run(world, seconds=60, works=False)
    model = world.arm.models[a_cluster().id]
    model.cluster = a_cluster()
    model.settle()
    world.clock.pass_(25)
    await world.sweep_clusters()()
    await run(world, seconds=100)
    assert progress(world).state == "done"


async def test_a_changed_baseline_reaches_those_that_had_the_old_one() -> None:
    world = a_world(a_cluster())
    await announce(world)
    await run(world)
    world.config = load_text(CONFIG + BASELINES.replace("prune: true", "prune: false"))
    world.clock.pass_(30)
    await world.sweep_clusters()()
    await run(world)
    model = world.arm.models[a_cluster().id]
    assert model.asked["configuration", "apps"]["kustomizations"]["apps"]["prune"] is False
    assert [write.method for write in model.writes] == ["PUT", "PUT", "PUT", "PATCH"]
    assert world.arm.models[a_cluster().id].vain == []


async def test_a_baseline_that_changes_on_the_way_is_followed_from_its_beginning() -> None:
    world = a_world(a_cluster())
    await announce(world)
    await run(world, seconds=11)
    world.config = load_text(CONFIG + BASELINES.replace("./infra", "./base"))
    await run(world)
    assert progress(world).state == "done"
    assert world.arm.models[a_cluster().id].asked["configuration", "infra"]["kustomizations"]["infra"]["path"] == "./base"


async def test_a_cluster_that_leaves_the_selector_loses_what_was_made() -> None:
    world = a_world(a_cluster())
    await announce(world)
    await run(world)
    world.arm.models[a_cluster().id].cluster = a_cluster(tags={"ring": "none"})
    world.clock.pass_(30)
    await world.sweep_clusters()()
    await run(world)
    assert world.arm.models[a_cluster().id].asked == {}
    assert world.onboardings.kept.all() == []
    assert world.audit.actions() == ["baseline.written"] * 6


async def test_a_value_that_the_cluster_does_not_have_is_told_and_mended_by_a_tag() -> None:
    world = a_world(a_cluster(tags={"ring": "prod"}))
    await announce(world)
    await run(world)
    assert (progress(world).state, progress(world).reason) == ("failed", "baseline edge: the cluster has no tags.site")
    assert progress(world).again_at is None
    world.queue.sent.clear()
    world.clock.pass_(30)
    await world.sweep_clusters()()
    assert world.queue.messages(ONBOARDING) == []
    world.arm.models[a_cluster().id].cluster = a_cluster()
    await world.sweep_clusters()()
    await run(world)
    assert progress(world).state == "done"


async def test_what_azure_policy_manages_is_reported_with_its_assignment() -> None:
    world = a_world(a_cluster())
    world.clusters.found_policies = [Policy(assignment="Flux by policy", definition=EXTENSION_DEFINITION, scope="/subscriptions/sub-1")]
    await announce(world)
    await run(world, seconds=1000)
    assert world.arm.models[a_cluster().id].writes == []
    assert "Azure Policy assignment Flux by policy" in progress(world).reason


# --- Azure's answers


@pytest.mark.parametrize(
    "error", [Unavailable("down", code="503"), Busy("busy", code="Conflict"), Throttled("slow", code="429", retry_after=7)]
)
@pytest.mark.parametrize("where", ["answers", "write_answers"])
async def test_what_azure_cannot_do_now_is_done_later(where: str, error: Upstream) -> None:
    world = a_world(a_cluster())
    setattr(world.arm, where, [None, error, error] if where == "answers" else [error, error])
    await announce(world)
    await run(world)
    assert progress(world).state == "done"
    assert world.arm.models[a_cluster().id].vain == []
    assert len(world.audit.actions()) == 3


async def test_a_429_pushes_every_slot_back() -> None:
    world = a_world(a_cluster())
    world.arm.answers = [Throttled("slow", code="429", retry_after=100)]
    await announce(world)
    await run(world, seconds=1)
    (slot,) = await world.pacer.reserve("sub-1", 1)
    assert slot >= at(100)


@pytest.mark.parametrize("where", ["answers", "write_answers"])
async def test_what_azure_refuses_is_told_once_and_tried_again_rarely(where: str) -> None:
    world = a_world(a_cluster())
    setattr(world.arm, where, [Rejected("no role", code="AuthorizationFailed", status=403)] * 2)
    await announce(world)
    await run(world, seconds=4000)
    assert (progress(world).state, progress(world).reason) == ("failed", "AuthorizationFailed: no role")
    await run(world, seconds=8000)
    assert progress(world).state == "done"
    kinds = [told.kind for delivery in world.deliveries.kept.all() for told in delivery.announcements]
    assert kinds.count("cluster.onboarded") == 1
    assert 1 <= kinds.count("onboarding.failed") <= 2


async def test_a_parent_that_is_not_there_is_looked_at_itself() -> None:
    world = a_world(a_cluster())
    world.arm.write_answers = [Rejected("gone", code="ParentResourceNotFound", status=404)]
    await announce(world)
    await run(world)
    assert progress(world).state == "done"


async def test_an_answer_that_never_came_is_looked_for_and_recorded() -> None:
    world = a_world(a_cluster())
    world.arm.write_answers = [Unavailable("lost", unanswered=True)]
    await announce(world)
    await run(world)
    assert progress(world).state == "done"
    assert [write.method for write in world.arm.models[a_cluster().id].writes] == ["PUT"] * 3
    assert len(world.audit.actions()) == 3


async def test_a_secret_that_is_not_there_is_told_by_its_name() -> None:
    world = a_world(a_cluster())
    del world.secrets.known["kv://sluice/git-key"]
    await announce(world)
    await run(world, seconds=600)
    assert (progress(world).state, progress(world).step) == ("failed", "configuration infra")
    assert progress(world).reason == "kv://sluice/git-key cannot be read: no such secret"
    world.secrets.known["kv://sluice/git-key"] = "hunter2"
    await run(world, seconds=7200)
    assert progress(world).state == "done"


async def test_while_rollouts_have_all_slots_a_cluster_comes_back_later() -> None:
    world = a_world(a_cluster())
    await announce(world)
    far = world.clock() + timedelta(seconds=ARM_WRITES.burst / ARM_WRITES.per_second + 300)
    world.pace.kept.put("sub-1.westeurope", Pace(id="sub-1.westeurope", theoretical_arrival=far))
    await run(world, seconds=200)
    assert world.arm.reads == 0
    await run(world)
    assert progress(world).state == "done"


# --- duplicates, crashes, races


async def test_of_two_messages_at_once_one_writes() -> None:
    world = a_world(a_cluster())
    await announce(world)
    for _ in range(30):
        visits = [sent for sent in world.queue.waiting if sent.queue == ONBOARDING]
        if not visits:
            break
        world.clock.now = max(world.clock.now, *(sent.not_before or world.clock.now for sent in visits))
        world.queue.waiting = [sent for sent in world.queue.waiting if sent.queue != ONBOARDING]
        await asyncio.gather(*(world.deliver(sent.queue, sent.message) for sent in visits for _ in range(3)))
        world.arm.models[a_cluster().id].settle()
    model = world.arm.models[a_cluster().id]
    assert progress(world).state == "done"
    assert [write.method for write in model.writes] == ["PUT"] * 3


async def test_an_old_message_does_nothing() -> None:
    world = a_world(a_cluster())
    await announce(world)
    await run(world)
    reads = world.arm.reads
    for visit in range(progress(world).visit):
        await world.onboard()(VisitCluster(cluster_id=a_cluster().id, visit=visit))
    await world.onboard()(VisitCluster(cluster_id="/subscriptions/s/none", visit=1))
    assert world.arm.reads == reads


@given(st.lists(st.integers(1, 60), max_size=5), st.integers(0, 3), st.booleans())
def test_whatever_dies_fails_or_comes_twice_the_end_is_the_same(deaths: list[int], failures: int, comes_twice: bool) -> None:
    """An instance dies before its n-th write, again and again; Azure fails; messages come twice. The sweep finds what is lost."""

    async def live() -> None:
        world = a_world(a_cluster())
        world.arm.write_answers = [Unavailable("down", code="503", unanswered=number % 2 == 0) for number in range(failures)]
        await world.queue.send(ONBOARDING, OnboardCluster(cluster_id=a_cluster().id))
        left = list(deaths)
        for _ in range(400):
            if a_cluster().id in {p.cluster_id for p in world.onboardings.kept.all() if p.state == "done"}:
                break
            if left and world.faults.die_at is None:
                world.faults.die_at = world.faults.writes + left.pop()
            await turn(world)
            world.clock.pass_(61)
            world.arm.models[a_cluster().id].settle()
        model = world.arm.models[a_cluster().id]
        assert progress(world).state == "done"
        assert set(model.asked) == WHOLE
        assert model.vain == []
        assert all(made.created for made in progress(world).made.values())
        assert world.audit.actions() == ["baseline.written"] * 3

    async def turn(world: World) -> None:
        try:
            await world.sweep_clusters()()
            for sent in world.queue.visible():
                world.queue.waiting.remove(sent)
                if sent.queue == ONBOARDING:
                    for _ in range(1 + comes_twice):
                        await world.deliver(sent.queue, sent.message)
        except Killed:
            world.faults.die_at = None

    asyncio.run(live())
