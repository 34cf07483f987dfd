"""Targets whose cluster is called, not written to, and those whose source is a bucket."""

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, RULES, a_change, a_rollout, a_stage, a_target, an_observation, at, sha
from msgspec.structs import replace

from shared.domain.acts import Act, perform
from shared.domain.buckets import ObjectEvent, bucket_change
from shared.domain.configurations import Configuration, claim, release
from shared.domain.errors import NotAllowed
from shared.domain.flux_receivers import FluxReceiver
from shared.domain.pins import Pin, asked_pin
from shared.domain.rollouts import Rejection, Target
from shared.domain.targets import judge

RECEIVER = FluxReceiver(address="https://flux.contoso.net/hook/x", token_ref="kv://sluice/flux")
BUCKET = bucket_change("bucket://minio.example.com/fleet", [ObjectEvent(key="a", at=at(-5))], receiver="r", delivery="d", received_at=NOW)
OLD, NEW = (f"sha256:{digit * 64}" for digit in "ab")


def called(**fields: Any) -> Target:
    values: dict[str, Any] = {"state": "applied", "dispatch": 1, "slot": NOW, "applied_at": NOW, "receiver": RECEIVER, "previous": None}
    return a_target(**values | fields)


def fetched(**fields: Any) -> Target:
    """Of a bucket that changed at second -5, on a cluster that had OLD."""
    observation = an_observation(30, **{"revision": NEW} | fields)
    return called(pin=asked_pin(BUCKET, {}), before=an_observation(revision=OLD), observation=observation)


def test_a_bucket_is_asked_to_have_been_fetched_since_it_changed() -> None:
    pin = asked_pin(BUCKET, {})
    assert (pin.kind, pin.since, pin.ref) == ("Bucket", at(-5), "")
    assert asked_pin(a_change(), {}).since is None


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"synced_at": at(-5)}, "compliant"),
        ({"synced_at": at(20), "revision": OLD}, "compliant"),  # what changed is ignored, or was written as it was
        ({"synced_at": at(-6)}, "applied"),  # another change, from before this one
        ({}, "compliant"),
        ({"revision": OLD}, "applied"),
        ({"revision": ""}, "applied"),
        ({"synced_at": at(20), "compliance": "Pending"}, "applied"),
    ],
)
def test_a_bucket_is_reached_by_who_has_fetched_it_since(fields: dict[str, Any], state: str) -> None:
    assert judge(fetched(**fields), RULES, at(40)).state == state


def test_without_a_time_and_an_earlier_look_nothing_proves_that_a_bucket_was_fetched() -> None:
    assert judge(replace(fetched(), before=None), RULES, at(40)).state == "applied"


def test_a_cluster_that_could_not_be_called_says_so_if_it_does_not_come_by_itself() -> None:
    rejection = Rejection(code="ClientConnectorError", message="its Receiver could not be called: no answer")
    alone = called(rejection=rejection)
    late = judge(alone, RULES, at(600))
    assert (late.state, late.reason) == ("failed", f"{rejection.message}; not compliant within 600 s (never seen)")
    by_itself = replace(alone, observation=an_observation(30, revision=f"main@sha1:{sha(1)}"))
    assert judge(by_itself, RULES, at(40)).state == "compliant"


def test_a_cluster_that_was_away_is_called_again_when_it_is_back() -> None:
    away = judge(called(observation=an_observation(30, connectivity="Offline")), RULES, at(40))
    assert away.state == "offline"
    back = judge(replace(away, observation=an_observation(60)), RULES, at(70))
    assert (back.state, back.applied_at) == ("pending", None)
    there = replace(away, observation=an_observation(60, revision=f"main@sha1:{sha(1)}"))
    assert judge(there, RULES, at(70)).state == "compliant"


def test_each_dispatch_of_a_call_is_one_of_its_own() -> None:
    new = Configuration(id="configuration", cluster_id="cluster", subscription="sub-1")
    one = replace(new, sequence=1, rollout_id="rollout-1", dispatch=1, pin=Pin(revision=sha(1)), calls=True, holder="one")
    lease = timedelta(seconds=120)
    done = release(claim(new, one, lease=lease, now=NOW)[1], applied_at=NOW)
    assert claim(done, one, lease=lease, now=at(1))[0] == "done"
    assert claim(done, replace(one, dispatch=2), lease=lease, now=at(1))[0] == "granted"
    assert claim(replace(done, calls=False), replace(one, calls=False, dispatch=2), lease=lease, now=at(1))[0] == "done"


def test_what_was_only_told_cannot_be_taken_back() -> None:
    rollout = a_rollout(a_stage(state="running", counts={"compliant": 1}), action="notify-receiver")
    with pytest.raises(NotAllowed, match="move the source back"):
        perform(rollout, Act(kind="rollback", by="alice", reason="odd"), NOW)
    assert perform(rollout, Act(kind="pause", by="alice", reason="odd"), NOW).state == "paused"
