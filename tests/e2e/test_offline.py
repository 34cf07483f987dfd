"""Clusters that are away."""

from collections import Counter

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

AWAY = {"cluster-001": "Offline", "cluster-007": "Offline", "cluster-008": "Expired"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=10, canary_share=0.3)


async def test_clusters_that_are_away_hold_no_stage_up_and_catch_up_when_they_are_back(play: Playground) -> None:
    for cluster, state in AWAY.items():
        await play.azure.connect(cluster, state)
    push = await play.push()
    rollout = await play.ended(push)
    assert [stage["counts"] for stage in rollout["stages"]] == [{"compliant": 2, "offline": 1}, {"compliant": 5, "offline": 2}]
    assert {target["cluster"]: target["reason"] for target in rollout["targets"] if target["state"] == "offline"} == {
        cluster: f"cluster is {state}" for cluster, state in AWAY.items()
    }
    clusters = await play.azure.clusters()
    assert {name for name, one in clusters.items() if one["syncedCommit"] == push.before} == set(AWAY)
    assert await awaited(play) == [rollout["id"]]

    for cluster in AWAY:
        await play.azure.connect(cluster, "Connected")
    await eventually(lambda: is_settled(play), "nothing is awaited any more")
    assert Counter(target["state"] for target in (await play.rollout(push))["targets"]) == {"compliant": 10}
    assert await play.commits_of() == {push.commit}
    assert await play.azure.accepted() == dict.fromkeys(clusters, 1)


async def test_a_cluster_that_was_away_for_two_pushes_gets_only_the_newest(play: Playground) -> None:
    await play.azure.connect("cluster-009", "Offline")
    missed = await play.push()
    await play.ended(missed)
    newest = await play.push()
    await play.ended(newest)
    await play.azure.connect("cluster-009", "Connected")
    await eventually(lambda: is_settled(play), "nothing is awaited any more")
    assert await play.commits_of() == {newest.commit}
    assert (await play.rollout(missed))["state"] == "superseded"


async def awaited(play: Playground) -> list[str]:
    """The rollouts that can still change."""
    return [one["id"] for one in await play.database.documents("rollouts") if one["type"] == "active"]


async def is_settled(play: Playground) -> bool:
    return not await awaited(play)
