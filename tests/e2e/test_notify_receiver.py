"""A push that clusters are told of through their own Flux Receivers: Azure is asked, and never written to."""

from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from azure_side import reported_at
from conftest import Start
from playground import Playground

from local.stack import repository

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "a-token-of-the-receivers"
RECEIVER = """action: notify-receiver
    receiver:
      address: {azure}/flux/{{cluster}}
      name: sluice
      namespace: cluster-config
      tokenRef: kv://sluice/flux-receiver
      allowedHosts: [127.0.0.1]"""
NEVER_BY_ITSELF = 10_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    """One cluster that is set to a commit, and eight that follow the branch, but would look at it only in months."""
    play = await start(clusters=1)
    fleet = {"repository": repository.URL, "branch": repository.BRANCH, "configuration": "platform", "resourceGroup": "shops"}
    interval = {"pinned": False, "syncIntervalInSeconds": NEVER_BY_ITSELF}
    await play.azure.post("fleet", {**fleet, **interval, "clusters": 8, "prefix": "shop", "seed": 2, "canaryShare": 0.25})
    await play.azure.put("secrets/flux-receiver", {"value": TOKEN})
    await play.azure.put("receivers/sluice", {"namespace": "cluster-config", "token": TOKEN})
    play.configure("action: pin", RECEIVER.format(azure=play.stack.azure))
    return play


async def calls(play: Playground) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await play.azure.get("messages", channel="receivers")
    return found


async def test_a_push_reaches_the_clusters_stage_by_stage_by_calls_of_their_receivers(play: Playground) -> None:
    push = await play.push()
    rollout = await play.ended(push)
    assert {target["cluster"]: target["state"] for target in rollout["targets"]} == {
        name: "compliant" for name in await play.azure.clusters() if name.startswith("shop")
    }
    clusters = await play.azure.clusters()
    shops = {name for name in clusters if name.startswith("shop")}
    assert {clusters[name]["syncedCommit"] for name in shops} == {push.commit}
    assert {clusters[name]["syncedCommit"] for name in set(clusters) - shops} == {push.before}

    called = [(one["cluster"], datetime.fromisoformat(one["at"])) for one in await calls(play)]
    assert sorted(name for name, _ in called) == sorted(shops)
    canary = shops & await play.azure.ring("canary")
    assert 0 < len(canary) < len(shops)
    documents = await play.azure.documents(play.stack.settings["IDENTITY_HEADER"])
    last_canary = max(reported_at(documents[name]) for name in canary)
    assert min(at for name, at in called if name not in canary) > last_canary
    assert all(push.commit in one["body"] for one in await calls(play))
    assert await play.azure.patches() == []


async def test_what_was_only_told_is_not_rolled_back(play: Playground) -> None:
    push = await play.push()
    await play.ended(push)
    answer = await play.act(push, "rollback", reason="the tills look odd")
    assert (answer.status, "move the source back" in answer.text) == (409, True)
    assert await play.azure.patches() == []
