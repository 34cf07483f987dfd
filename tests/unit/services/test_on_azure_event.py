"""Events of Azure have their effects, once."""

import random
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, a_rollout, a_stage, a_target, an_observation, sha
from fakes import Killed
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sightings import seen
from worlds import CONFIG, OURS, World

sys.path.insert(0, str(Path(__file__).parents[1] / "azure_events"))

from sampled import SAMPLES, SCHEMAS, Schema

from functions.on_azure_event import _read
from shared.azure_events.event import AzureEvent
from shared.config.loader import load_text
from shared.domain.clusters import Cluster
from shared.domain.configurations import Configuration, cluster_id, configuration_id
from shared.domain.errors import Rejected, Throttled, Unavailable
from shared.domain.messages import CHANGES, ONBOARDING, ROLLOUT_STEPS, OnboardCluster, StepRollout
from shared.domain.observations import MISSING, Observation
from shared.domain.pins import Pin
from shared.domain.rollouts import Target, target_id

FOLLOWED = CONFIG.replace(
    "routes:\n",
    """routes:
  - {name: manifests, source: {url: "oci://contoso-a1b2c3.azurecr.io/platform/manifests", ref: "refs/tags/*"}}
  - {name: blobs, source: {url: "azureblob://contoso.blob.core.windows.net/fleet"}}
""",
)
SUBSCRIPTION = "00000000-0000-4000-8000-00000000000a"
BERLIN = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/edge/providers/microsoft.kubernetes/connectedclusters/berlin"
PLATFORM = f"{BERLIN}/providers/microsoft.kubernetesconfiguration/fluxconfigurations/platform"
PERSON = "resources/flux-configuration-written-by-a-person"
APPLICATION = "resources/flux-configuration-written-by-an-application"
SYNCED = f"main@sha1:{sha(1)}"


def event(name: str, schema: Schema = "EventGridSchema", **fields: Any) -> AzureEvent:
    sample = next(each for each in SAMPLES if each.name == name)
    return replace(_read(sample.as_delivered(schema)), **fields)


def an_arc_cluster(cluster: str) -> Cluster:
    return Cluster(
        id=cluster,
        cluster_name=cluster.rsplit("/", 1)[-1],
        subscription=SUBSCRIPTION,
        resource_group="edge",
        location="westeurope",
        distribution="k3s",
        kubernetes_version="1.33.4",
        tags={},
        connectivity="Connected",
    )


def a_world() -> World:
    return World(config=load_text(FOLLOWED))


@pytest.fixture
def world() -> World:
    return a_world()


def waiting(world: World, **fields: Any) -> Target:
    """A rollout that has asked the fluxConfiguration of the samples for commit 1 at NOW, and waits for it."""
    stage = a_stage(state="running", counts={"applied": 1})
    world.rollouts.kept.put("rollout-1", a_rollout(stage, id="rollout-1"))
    values: dict[str, Any] = {"id": target_id(PLATFORM), "configuration_id": PLATFORM, "state": "applied", "applied_at": NOW}
    target = a_target(0, **{"rollout_id": "rollout-1", **values, **fields})
    world.rollouts.kept_targets.put(("rollout-1", target.id), target)
    asked = Configuration(id=configuration_id(PLATFORM), cluster_id=cluster_id(PLATFORM), subscription=SUBSCRIPTION, rollout_id="rollout-1")
    world.configurations.kept.put((asked.cluster_id, asked.id), asked)
    return target


def target_now(world: World) -> Target:
    return world.rollouts.kept_targets.now(("rollout-1", target_id(PLATFORM)))


def is_synced(world: World, **fields: Any) -> Observation:
    seen = replace(an_observation(30, revision=SYNCED, **fields), connectivity="")
    world.flux_configurations.now[PLATFORM] = seen
    return seen


class TestALook:
    async def test_a_write_makes_the_rollout_see_what_the_configuration_is(self, world: World) -> None:
        waiting(world)
        is_synced(world)
        world.clock.pass_(31)
        await world.on_azure_event()(event(PERSON))
        seen = target_now(world)
        assert (seen.observation and seen.observation.revision, seen.has_news) == (SYNCED, True)
        assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]
        await world.step()("rollout-1")
        assert target_now(world).state == "compliant"

    async def test_a_second_delivery_changes_nothing(self, world: World) -> None:
        waiting(world)
        is_synced(world, compliance="Non-Compliant")
        world.clock.pass_(31)
        await world.on_azure_event()(event(PERSON))
        before = target_now(world), list(world.queue.sent), world.foreign_writes.kept.all()
        world.clock.pass_(5)
        await world.on_azure_event()(event(PERSON, "CloudEventSchemaV1_0"))
        assert (target_now(world), world.queue.sent, world.foreign_writes.kept.all()) == before

    async def test_a_deleted_one_is_missing(self, world: World) -> None:
        waiting(world)
        await world.on_azure_event()(event(PERSON, type="Microsoft.Resources.ResourceDeleteSuccess"))
        observation = target_now(world).observation
        assert observation is not None
        assert observation.compliance == MISSING

    @pytest.mark.parametrize("connectivity", ["Connected", "Offline"])
    async def test_what_the_look_does_not_tell_stays_as_it_was_known(self, world: World, connectivity: str) -> None:
        """Else a cluster that is away would count as back for any write to its fluxConfiguration."""
        away = {"state": "offline", "away": "Offline", "reason": "cluster is Offline"} if connectivity == "Offline" else {}
        waiting(world, **away, observation=an_observation(1, compliance="Pending", revision="", connectivity=connectivity))
        is_synced(world)
        world.clock.pass_(31)
        await world.on_azure_event()(event(PERSON))
        seen = target_now(world)
        assert seen.observation is not None
        assert seen.observation.connectivity == connectivity
        assert seen.has_news is (connectivity == "Connected")

    async def test_one_that_nobody_waits_for_is_not_asked_after(self, world: World) -> None:
        await world.on_azure_event()(event(PERSON))
        waiting(world, state="compliant")
        await world.on_azure_event()(event(PERSON))
        world.rollouts.kept_targets.drop(("rollout-1", target_id(PLATFORM)))
        await world.on_azure_event()(event(PERSON))
        world.rollouts.kept.drop("rollout-1")
        await world.on_azure_event()(event(PERSON))
        assert world.flux_configurations.asked == []

    async def test_what_we_wrote_ourselves_is_not_but_an_attempt_of_ours_that_failed_is(self, world: World) -> None:
        waiting(world)
        is_synced(world)
        ours = frozenset({"04b077958ddb461abbee02f9e1bf7b46"})
        await world.on_azure_event(identities=ours)(event(PERSON))
        assert world.flux_configurations.asked == []
        await world.on_azure_event(identities=ours)(event("resources/flux-configuration-write-failed"))
        assert world.flux_configurations.asked == [PLATFORM]

    async def test_one_that_must_stay_well_is_looked_at(self, world: World) -> None:
        waiting(world, state="compliant")
        baking = a_stage(state="running", bake_seconds=60, done_at=NOW, counts={"compliant": 1})
        world.rollouts.kept.put("rollout-1", a_rollout(baking, id="rollout-1"))
        is_synced(world, compliance="Non-Compliant")
        world.clock.pass_(31)
        await world.on_azure_event()(event(PERSON))
        assert target_now(world).has_news

    @pytest.mark.parametrize("error", [Unavailable("ARM"), Throttled("ARM", retry_after=7), Rejected("no", code="403"), TimeoutError()])
    async def test_what_cannot_be_seen_is_left_to_the_sweep(self, world: World, error: Exception) -> None:
        target = waiting(world)
        world.flux_configurations.down = error
        await world.on_azure_event()(event(PERSON))
        assert target_now(world) == target
        assert world.queue.sent == []

    async def test_a_target_that_moved_on_meanwhile_is_left_alone(self, world: World) -> None:
        target = waiting(world)
        is_synced(world)
        done = replace(target, state="failed")
        world.rollouts.kept_targets.meanwhile = lambda: world.rollouts.kept_targets.put(("rollout-1", target.id), done)
        await world.on_azure_event()(event(PERSON))
        assert target_now(world) == done
        assert world.queue.sent == []


class TestWriters:
    async def test_who_else_wrote_is_kept(self, world: World) -> None:
        await world.on_azure_event()(event(PERSON))
        found = await world.foreign_writes.get(PLATFORM)
        assert found is not None
        assert (found.caller, found.operation, found.at) == ("zoe@contoso.example", "write", event(PERSON).at)
        await world.on_azure_event()(event(APPLICATION))
        newer = await world.foreign_writes.get(PLATFORM)
        assert newer is not None
        assert newer.caller == "a9900000-0000-4000-8000-000000000002"

    @pytest.mark.parametrize(
        "ours",
        [
            frozenset({"a9900000000040008000000000000002"}),
            frozenset({"0b1ec700000040008000000000000002", "other"}),
            frozenset(),
        ],
    )
    async def test_our_own_writes_are_nobody_else_s(self, world: World, ours: frozenset[str]) -> None:
        """By the application's id or the principal's; and where we do not know ourselves, nobody is someone else."""
        await world.on_azure_event(identities=ours)(event(APPLICATION))
        assert world.foreign_writes.kept.all() == []

    @pytest.mark.parametrize("name", ["flux-configuration-written-and-nobody-named", "flux-configuration-write-failed"])
    async def test_a_writer_that_is_not_named_and_one_that_failed_are_not_kept(self, world: World, name: str) -> None:
        await world.on_azure_event()(event(f"resources/{name}"))
        assert world.foreign_writes.kept.all() == []

    async def test_what_cannot_be_kept_is_to_be_delivered_again(self, world: World) -> None:
        world.faults.down = Unavailable("database")
        with pytest.raises(Unavailable):
            await world.on_azure_event()(event(PERSON))


class TestDrift:
    """How it is judged: test_look_for_drift.py."""

    def asked_and_changed(self, world: World) -> None:
        pin, before = Pin(revision=sha(1), branch="main"), event(PERSON).at - timedelta(hours=1)
        names = {"id": configuration_id(PLATFORM), "cluster_id": cluster_id(PLATFORM), "resource_id": PLATFORM}
        record = Configuration(**names, subscription=SUBSCRIPTION, pin=pin, applied_at=before)
        world.configurations.kept.put((record.cluster_id, record.id), record)
        world.flux_configurations.shown[PLATFORM] = seen(id=PLATFORM, commit=sha(5))
        world.arm.add(an_arc_cluster(BERLIN))

    def found(self, world: World) -> list[str]:
        return [line.reason for delivery in world.deliveries.kept.all() for told in delivery.announcements for line in told.clusters]

    @pytest.mark.parametrize("schema", SCHEMAS)
    async def test_what_someone_else_wrote_is_judged_at_once(self, world: World, schema: Schema) -> None:
        self.asked_and_changed(world)
        for _ in range(2):
            await world.on_azure_event()(event(PERSON, schema))
        [reason] = self.found(world)
        assert "commit 00000000; by zoe@contoso.example at " in reason

    @pytest.mark.parametrize(
        ("name", "ours"),
        [
            (APPLICATION, frozenset({"a9900000000040008000000000000002"})),
            (PERSON, frozenset()),
            ("resources/flux-configuration-written-and-nobody-named", OURS),
            ("resources/flux-configuration-write-failed", OURS),
        ],
    )
    async def test_what_we_wrote_ourselves_or_nobody_is_named_for_is_left_to_the_sweep(
        self, world: World, name: str, ours: frozenset[str]
    ) -> None:
        self.asked_and_changed(world)
        await world.on_azure_event(identities=ours)(event(name))
        assert (self.found(world), world.flux_configurations.asked) == ([], [])


class TestClusters:
    @pytest.mark.parametrize(
        ("name", "cluster"),
        [("cluster-written", "lagos"), ("cluster-deleted", "oslo"), ("extension-written", "berlin")],
    )
    async def test_a_cluster_that_changed_is_checked(self, world: World, name: str, cluster: str) -> None:
        await world.on_azure_event()(event(f"resources/{name}"))
        assert world.queue.messages(ONBOARDING) == [OnboardCluster(cluster_id=BERLIN.replace("berlin", cluster))]

    async def test_other_subscriptions_are_none_of_our_business(self, world: World) -> None:
        for name in ("resources/cluster-written", PERSON, "policy/cluster-not-compliant"):
            await world.on_azure_event(subscriptions=frozenset({"another"}))(event(name))
        assert world.faults.writes == 0
        await world.on_azure_event(subscriptions=frozenset({SUBSCRIPTION}))(event("resources/cluster-written"))
        assert len(world.queue.messages(ONBOARDING)) == 1


class TestChanges:
    @pytest.mark.parametrize("schema", SCHEMAS)
    async def test_a_pushed_image_is_a_change(self, world: World, schema: Schema) -> None:
        await world.on_azure_event(subscriptions=frozenset({"another"}))(event("registry/image-pushed", schema))
        (change,) = world.changes.kept.all()
        assert (change.url, change.ref) == ("contoso-a1b2c3.azurecr.io/platform/manifests", "refs/tags/v1.2.3")
        assert [message.change_id for message in world.queue.messages(CHANGES)] == [change.id]
        assert world.audit.actions() == ["change.received"]

    @pytest.mark.parametrize("name", ["registry/image-pushed", "storage/blob-created"])
    async def test_what_no_route_follows_is_not_recorded(self, name: str) -> None:
        world = World()
        await world.on_azure_event()(event(name))
        assert world.faults.writes == 0

    async def test_an_older_event_of_a_blob_changes_nothing_and_the_same_one_is_one(self, world: World) -> None:
        for name in ("blob-written-again", "blob-created", "blob-written-again"):
            await world.on_azure_event()(event(f"storage/{name}"))
        (change,) = world.changes.kept.all()
        assert change.delivery == event("storage/blob-written-again").id


class TestPolicy:
    async def told(self, world: World) -> list[tuple[str, str]]:
        return [(told.severity, told.title) for delivery in world.deliveries.kept.all() for told in delivery.announcements]

    async def test_people_hear_of_a_conflict_and_of_its_end_once(self, world: World) -> None:
        for name in ("cluster-not-compliant", "cluster-not-compliant", "cluster-compliant-again", "cluster-not-compliant"):
            await world.on_azure_event()(event(f"policy/{name}"))
        assert await self.told(world) == [
            ("error", "Azure Policy: berlin is not compliant"),
            ("info", "Azure Policy: berlin is compliant again"),
        ]

    async def test_a_conflict_that_is_over_when_it_is_heard_of_is_not_told(self, world: World) -> None:
        for name in ("cluster-compliant-again", "cluster-not-compliant", "cluster-judged-no-more", "virtual-machine"):
            await world.on_azure_event()(event(f"policy/{name}"))
        assert await self.told(world) == []

    async def test_a_judgement_whose_telling_failed_is_told_when_it_comes_again(self, world: World) -> None:
        world.faults.die_at = world.faults.writes + 2
        with pytest.raises(Killed):
            await world.on_azure_event()(event("policy/cluster-in-an-initiative"))
        assert await self.told(world) == []
        world.faults.die_at = None
        await world.on_azure_event()(event("policy/cluster-in-an-initiative"))
        assert await self.told(world) == [("error", "Azure Policy: pune is not compliant")]


class TestSecrets:
    async def told(self, world: World) -> list[Any]:
        return [told for delivery in world.deliveries.kept.all() for told in delivery.announcements]

    async def test_its_users_are_named_once_a_version(self, world: World) -> None:
        for name in ("secret-near-expiry", "secret-near-expiry", "secret-expired"):
            await world.on_azure_event()(event(f"key_vault/{name}"))
        near, expired = await self.told(world)
        assert (near.kind, expired.kind) == ("secret.near-expiry", "secret.expired")
        assert dict(near.facts)["Used by"] == "receivers/platform"
        assert "2026-04-03 05:06 UTC" in near.summary
        newer = event("key_vault/secret-expired")
        await world.on_azure_event()(replace(newer, data={**newer.data, "Version": "another", "EXP": None}))
        assert len(await self.told(world)) == 3

    @pytest.mark.parametrize(
        ("reference", "users"),
        [
            ("kv://SLUICE/GitHub", "receivers/platform"),
            ("kv://sluice/github/ee059b2bb5bc48398a53b168c6cdcb10", "receivers/platform"),
            ("kv://sluice/github/0000", None),
            ("kv://other/github", None),
        ],
    )
    async def test_a_reference_means_one_secret_and_perhaps_one_version(self, reference: str, users: str | None) -> None:
        world = World(config=load_text(CONFIG.replace("kv://sluice/github,", f"{reference},")))
        await world.on_azure_event()(event("key_vault/secret-near-expiry"))
        assert [dict(told.facts)["Used by"] for told in await self.told(world)] == ([users] if users else [])

    async def test_gates_and_providers_use_secrets_too(self) -> None:
        gated = CONFIG.replace("kv://sluice/teams", "kv://sluice/github").replace(
            "afterStageWait: 60s}", "gates: [{type: webhook, url: https://gate.example, secretRef: kv://sluice/github}]}"
        )
        world = World(config=load_text(gated))
        await world.on_azure_event()(event("key_vault/secret-near-expiry"))
        (told,) = await self.told(world)
        assert dict(told.facts)["Used by"] == "receivers/platform, strategies/rings, providers/ops"


async def test_an_event_of_another_kind_is_ignored(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        await world.on_azure_event()(event(PERSON, type="Contoso.Till.Opened" + "x" * 500))
    (line,) = [record.message for record in caplog.records if record.message.startswith("event.")]
    assert line.startswith("event.unknown type=Contoso.Till.Opened")
    assert len(line) < 130
    assert world.faults.writes == 0


def state_of(world: World) -> dict[str, Any]:
    """All that is left when the events are through: not the order in which people heard of it."""
    return {
        "writers": sorted(world.foreign_writes.kept.all(), key=lambda write: write.configuration_id),
        "policy": sorted((replace(state, before="") for state in world.policy_states.kept.all()), key=lambda state: state.cluster_id),
        "objects": sorted(world.object_events.kept.all(), key=lambda each: each.key),
        "heads": sorted((head.source, head.id, head.revision) for head in world.changes.heads.all()),
        "target": replace(target_now(world), observation=None),
        "seen": [target_now(world).observation and getattr(target_now(world).observation, name) for name in ("compliance", "revision")],
        "onboarding": {message.cluster_id for message in world.queue.messages(ONBOARDING)},
        "secrets": {told.id for d in world.deliveries.kept.all() for told in d.announcements if told.kind.startswith("secret.")},
    }


async def play(deliveries: list[tuple[str, Schema]]) -> World:
    """All of them through the use case, and then the changes that came of them through the planning, as their messages bring them."""
    world = a_world()
    waiting(world)
    is_synced(world)
    world.clock.pass_(60)
    for name, schema in deliveries:
        await world.on_azure_event()(event(name, schema))
    for message in world.queue.messages(CHANGES):
        await world.plan()(message)
    return world


#: Of a bucket whatever is told is news, so its head is at what was told last; of one blob that is its last event.
_ONE_BLOB = ("blob-created", "blob-written-again", "blob-deleted")


@settings(max_examples=25)
@given(st.integers(min_value=0, max_value=2**32))
async def test_every_sample_in_both_schemas_duplicated_and_shuffled_gives_the_same_final_state(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    names = [sample.name for sample in SAMPLES if not sample.name.startswith("storage/") or sample.name.endswith(_ONE_BLOB)]
    deliveries = [(name, schema) for name in names for schema in SCHEMAS for _ in range(chance.randint(1, 2))]
    chance.shuffle(deliveries)
    assert state_of(await play(deliveries)) == state_of(await play([(name, "EventGridSchema") for name in names]))
