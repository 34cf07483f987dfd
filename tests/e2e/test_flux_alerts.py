"""Clusters tell by Flux's alerts how they fare, long before Resource Graph is asked."""

import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from conftest import Start
from playground import FAST, Answer, Json, Playground, Push
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEVER = {"SWEEP_COMPLIANCE_SCHEDULE": "0 0 0 1 1 *"}  # once a year
STOPPED = 0.001  # seconds of a cluster's life in one of ours


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=20, settings=NEVER, flux_alerts=True)


async def test_a_rollout_is_completed_by_alerts_alone(play: Playground) -> None:
    await play.azure.forget()
    push = await play.push()
    rollout = await play.ended(push)
    assert Counter(target["state"] for target in rollout["targets"]) == {"compliant": 20}
    assert await play.commits_of() == {push.commit}
    asked = [seen for seen in await play.azure.get("requests", method="POST") if "ResourceGraph" in seen["path"]]
    assert len(asked) == 1  # by planning


def token(play: Playground, cluster_id: str) -> str:
    return hmac.digest(play.stack.flux_secret.encode(), cluster_id.lower().encode(), "sha256").hex()


async def send(play: Playground, push: Push, cluster_id: str, key: str, at: datetime) -> Answer:
    """That the cluster has reconciled the push, signed with `key`."""
    event = {
        "involvedObject": {"kind": "Kustomization", "namespace": "cluster-config", "name": "platform-platform"},
        "severity": "info",
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "message": "Reconciliation finished in 1.2s, next run in 10m0s",
        "reason": "ReconciliationSucceeded",
        "metadata": {"revision": f"main@sha1:{push.commit}", "clusterArmId": cluster_id},
    }
    body = json.dumps(event).encode()
    signature = hmac.digest(key.encode(), body, "sha256").hex()
    return await play.post(body, {"X-Signature": f"sha256={signature}"}, receiver="flux")


@pytest_asyncio.fixture(loop_scope="module")
async def applied(play: Playground) -> AsyncIterator[Push]:
    """A push that the canaries were asked for, and no cluster has got round to."""
    await play.azure.set_speed(STOPPED)
    push = await play.push()

    async def asked() -> bool:
        return (await play.summary(push))["stages"][0]["counts"].get("applied") == 2

    await eventually(asked, "both canaries were asked")
    yield push
    await play.azure.set_speed(FAST)
    await play.ended(push)


async def targets(play: Playground) -> list[Json]:
    """As they are stored, sealed and with their ETags."""
    return [one for one in await play.database.documents("rollouts") if one["type"] == "target"]


def state_of(rollout: Json, cluster: str) -> str:
    return next(str(target["state"]) for target in rollout["targets"] if target["cluster"] == cluster)


async def test_a_forged_report_changes_nothing_and_a_true_one_does(play: Playground, applied: Push) -> None:
    (first, second), clusters = sorted(await play.azure.ring("canary")), await play.azure.clusters()
    cluster_id, now = clusters[first]["id"], datetime.now(UTC)
    own, others = token(play, cluster_id), token(play, clusters[second]["id"])
    before = await targets(play)
    assert await send(play, applied, cluster_id, others, now) == Answer(401, "")
    assert await send(play, applied, cluster_id, play.stack.flux_secret, now) == Answer(401, "")
    assert (await send(play, applied, cluster_id, own, now - timedelta(minutes=16))).status == 400
    assert await targets(play) == before

    assert [(await send(play, applied, cluster_id, own, now)).status for _ in range(2)] == [202, 200]

    async def compliant() -> bool:
        return state_of(await play.rollout(applied), first) == "compliant"

    await eventually(compliant, "the canary that told so is compliant")
    assert state_of(await play.rollout(applied), second) == "applied"


async def test_the_command_prints_the_token_of_a_cluster(play: Playground) -> None:
    cluster_id = next(iter((await play.azure.clusters()).values()))["id"]
    printed = await play.sluice("flux-token", "--cluster", cluster_id, *play.state)
    assert (printed.status, printed.output) == (0, token(play, cluster_id) + "\n")
    secret = await play.sluice("flux-token", "--cluster", cluster_id, "--namespace", "cluster-config", *play.state)
    assert "namespace: cluster-config\n" in secret.output
    assert f"  token: {token(play, cluster_id)}\n" in secret.output
    refused = await play.sluice("flux-token", "--cluster", "berlin", *play.state)
    assert (refused.status, refused.output) == (1, "")
    assert "not the ARM id" in refused.errors
