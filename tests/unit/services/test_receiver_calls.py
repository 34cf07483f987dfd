"""A push reaches clusters by calls of their Receivers: planned, paced by the stages alone, tried again, observed."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from builders import NOW, a_change, a_flux_configuration, a_rollout, a_stage, a_target, an_observation, at, sha
from worlds import World

from shared.config.loader import load_text
from shared.domain.buckets import ObjectEvent, bucket_change
from shared.domain.changes import Change
from shared.domain.errors import Rejected, Throttled, Unavailable
from shared.domain.flux_receivers import FluxReceiver
from shared.domain.messages import CONFIG_UPDATES, ApplyUpdate, PlanChange
from shared.domain.observations import FluxConfiguration
from shared.domain.rollouts import Target
from shared.services.preview import preview

CONFIG = """
apiVersion: sluice/v1
strategies:
  - name: rings
    stages:
      - {name: canary, selector: {tags: {ring: canary}}, maxConcurrency: 1}
      - {name: prod, selector: {tags: {ring: prod}}}
routes:
  - name: platform
    source: {url: https://github.com/contoso/platform, ref: refs/heads/main}
    action: notify-receiver
    strategy: rings
    receiver: &receiver
      address: https://flux.{cluster}.contoso.net
      name: sluice
      namespace: cluster-config
      tokenRef: kv://sluice/flux
      allowedHosts: [contoso.net]
      privateAddresses: true
  - name: objects
    source: {url: "bucket://minio.example.com/fleet", paths: [clusters/*]}
    action: notify-receiver
    receiver: *receiver
"""
RECEIVER = FluxReceiver(address="https://flux.contoso.net/hook/x", token_ref="kv://sluice/flux")
MESSAGE = ApplyUpdate(rollout_id="rollout-1", target_id="target-000", dispatch=1)


@pytest.fixture
def calling() -> World:
    world = World(config=load_text(CONFIG))
    world.secrets.known["kv://sluice/flux"] = "token"
    return world


def queued(world: World, **fields: Any) -> None:
    rollout = a_rollout(a_stage(state="running", counts={"queued": 1}), action="notify-receiver")
    world.rollouts.kept.put(rollout.id, rollout)
    values: dict[str, Any] = {"state": "queued", "dispatch": 1, "slot": NOW, "receiver": RECEIVER, "previous": None}
    world.rollouts.kept_targets.put((rollout.id, "target-000"), a_target(**values | fields))


def target(world: World) -> Target:
    return world.rollouts.kept_targets.now(("rollout-1", "target-000"))


async def plan(world: World, change: Change) -> None:
    await world.changes.record(change)
    await world.plan()(PlanChange(source=change.source, change_id=change.id))


def event(key: str, sequencer: str, seconds: float, delivery: str) -> Change:
    told = [ObjectEvent(key=key, sequencer=sequencer, at=at(seconds))]
    return bucket_change("bucket://minio.example.com/fleet", told, receiver="objects", delivery=delivery, received_at=at(60))


def bucket_follower(number: int, **fields: Any) -> FluxConfiguration:
    source: dict[str, Any] = {"source_kind": "Bucket", "url": "bucket://minio.example.com/fleet", "branch": ""}
    return a_flux_configuration(number, **source | fields)


async def test_the_targets_of_a_route_know_whom_to_call_and_have_no_way_back(calling: World) -> None:
    calling.fleet.found = [a_flux_configuration(0), a_flux_configuration(1), a_flux_configuration(2, commit=sha(0))]
    await plan(calling, a_change(1))
    (rollout,) = calling.rollouts.kept.all()
    targets = sorted(calling.rollouts.kept_targets.all(), key=lambda t: t.order)
    assert rollout.action == "notify-receiver"
    assert [t.receiver and t.receiver.address for t in targets] == [f"https://flux.cluster-00{n}.contoso.net" for n in (0, 1)]
    assert all(t.previous is None and t.receiver and t.receiver.private_addresses for t in targets)


async def test_who_has_no_usable_address_is_left_alone_and_told(calling: World) -> None:
    found = [a_flux_configuration(0, cluster_name="a/b")]
    shown = preview(calling.config, a_change(1), found, NOW)
    (left,) = shown.left_alone
    assert (left.route, left.reason) == ("platform", "its cluster is nothing that an address may hold")


async def test_nothing_of_arms_pace_is_spent_on_calls(calling: World) -> None:
    calling.fleet.found = [a_flux_configuration(number, tags={"ring": "prod"}) for number in range(5)]
    await plan(calling, a_change(1))
    (rollout,) = calling.rollouts.kept.all()
    await calling.step()(rollout.id)
    sent = [each for each in calling.queue.sent if each.queue == CONFIG_UPDATES]
    assert len(sent) == 5
    assert all(t.slot == NOW for t in calling.rollouts.kept_targets.all())
    assert calling.pace.kept.all() == []
    (route, _) = preview(calling.config, a_change(1), calling.fleet.found, NOW).routes[0], None
    assert {update.earliest_seconds for stage in route.stages for update in stage.updates} == {0.0}


async def test_a_call_is_signed_and_tells_what_has_moved(calling: World) -> None:
    receiver = FluxReceiver(address="https://flux.contoso.net", token_ref="kv://sluice/flux", name="sluice", namespace="cluster-config")
    queued(calling, receiver=receiver)
    await calling.apply()(MESSAGE, holder="one")
    (posted,) = calling.receiver_caller.posted
    path = hashlib.sha256(b"tokensluicecluster-config").hexdigest()
    assert posted.address == f"https://flux.contoso.net/hook/{path}"
    assert posted.headers == {"X-Signature": "sha256=" + hmac.new(b"token", posted.body, "sha256").hexdigest()}
    assert json.loads(posted.body) == {
        "rollout": "rollout-1",
        "url": "github.com/contoso/platform",
        "ref": "refs/heads/main",
        "revision": sha(1),
    }
    assert calling.receiver_caller.private == [False]
    assert calling.resource_manager.calls == 0
    (record,) = calling.configurations.kept.all()
    assert (record.calls, record.revision, record.applied_at) == (True, sha(1), NOW)
    assert (target(calling).state, target(calling).accepted_at) == ("applied", NOW)


async def test_a_second_message_calls_nobody(calling: World) -> None:
    queued(calling)
    await calling.apply()(MESSAGE, holder="one")
    await calling.apply()(MESSAGE, holder="two")
    assert len(calling.receiver_caller.posted) == 1


async def test_a_late_message_needs_no_slot(calling: World) -> None:
    queued(calling)
    calling.clock.pass_(200)
    await calling.apply()(MESSAGE, holder="one")
    assert len(calling.receiver_caller.posted) == 1
    assert calling.pace.kept.all() == []


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(Unavailable("answered 503", code="503"), 2), (Throttled("slow", code="429", retry_after=30), 30)],
)
async def test_a_receiver_that_is_not_ready_is_called_again(calling: World, error: Exception, seconds: float) -> None:
    queued(calling)
    calling.receiver_caller.answers = [error]
    await calling.apply()(MESSAGE, holder="one")
    (sent,) = calling.queue.sent
    assert (sent.message.attempt, sent.not_before) == (1, at(seconds))
    assert calling.pace.kept.all() == []
    calling.clock.pass_(seconds)
    await calling.apply()(sent.message, holder="two")
    assert target(calling).state == "applied"


async def test_a_receiver_that_refuses_is_a_failure_that_says_so(calling: World) -> None:
    queued(calling)
    calling.receiver_caller.answers = [Rejected("answered 404", code="404")]
    await calling.apply()(MESSAGE, holder="one")
    await calling.step()("rollout-1")
    assert (target(calling).state, target(calling).reason) == ("failed", "404: answered 404")


async def test_a_token_that_is_not_there_is_a_failure_that_says_so(calling: World) -> None:
    queued(calling)
    calling.secrets.known.clear()
    await calling.apply()(MESSAGE, holder="one")
    await calling.step()("rollout-1")
    assert target(calling).reason == "TokenMissing: the secret with its Receiver's token is not there"


async def test_a_cluster_that_cannot_be_called_for_long_is_left_to_fetch_by_itself(calling: World) -> None:
    queued(calling)
    calling.receiver_caller.is_down = Unavailable("no answer (ClientConnectorError)", code="ClientConnectorError")
    message, calls = MESSAGE, 0
    while target(calling).state == "queued":
        await calling.apply()(message, holder=f"attempt-{calls}")
        calls += 1
        sent = [each for each in calling.queue.sent if each.queue == CONFIG_UPDATES]
        if len(sent) == calls:
            message = sent[-1].message
            calling.clock.pass_((sent[-1].not_before - calling.clock()).total_seconds())
    assert calls == 9
    assert calling.clock() - NOW == at(510) - NOW
    assert target(calling).applied_at == at(510)
    assert "update.uncalled" in calling.audit.actions()
    calling.fleet.found = [a_flux_configuration(0, observation=an_observation(520, revision=f"main@sha1:{sha(1)}"))]
    await calling.rollouts.mark_active("rollout-1")
    await calling.observe()()
    await calling.step()("rollout-1")
    assert target(calling).state == "compliant"


async def test_a_cluster_that_is_away_is_called_once_and_then_waited_for(calling: World) -> None:
    queued(calling, before=an_observation(connectivity="Offline"))
    calling.receiver_caller.is_down = Unavailable("no answer (TimeoutError)", code="TimeoutError")
    await calling.apply()(MESSAGE, holder="one")
    assert (target(calling).state, target(calling).applied_at) == ("applied", NOW)
    assert calling.queue.sent == []


async def test_no_cluster_says_how_long_it_is_waited_for(calling: World) -> None:
    queued(calling)
    calling.receiver_caller.answers = [Unavailable("answered 503", code="503", retry_after=86_400)]
    await calling.apply()(MESSAGE, holder="one")
    assert calling.queue.sent[0].not_before == at(300)


async def test_an_event_of_a_bucket_calls_those_that_follow_it(calling: World) -> None:
    calling.fleet.found = [bucket_follower(0), bucket_follower(1, url="bucket://minio.example.com/other"), a_flux_configuration(2)]
    change = event("clusters/a.yaml", "2", 50, "1")
    await plan(calling, change)
    (made,) = calling.rollouts.kept_targets.all()
    assert (made.cluster, made.pin.kind, made.pin.since) == ("cluster-000", "Bucket", at(50))
    assert calling.fleet.asked == ["fleet"]


async def test_an_event_of_other_objects_calls_nobody_and_hides_nothing(calling: World) -> None:
    calling.fleet.found = [bucket_follower(0)]
    await plan(calling, event("docs/a.md", "2", 50, "1"))
    assert calling.rollouts.kept.all() == []
    await plan(calling, event("clusters/a.yaml", "1", 40, "2"))
    (made,) = calling.rollouts.kept_targets.all()
    assert made.pin.since == at(50)  # what came before is to be fetched too


async def test_a_newer_event_takes_over(calling: World) -> None:
    calling.fleet.found = [bucket_follower(0)]
    await plan(calling, event("clusters/a.yaml", "1", 40, "1"))
    await plan(calling, event("clusters/b.yaml", "1", 50, "2"))
    assert sorted(rollout.state for rollout in calling.rollouts.kept.all()) == ["running", "superseded"]
