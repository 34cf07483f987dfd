"""Pushes that overtake each other: the fleet ends on the newest, and no cluster ever goes back."""

import asyncio

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=50)


async def test_a_newer_push_supersedes_a_running_rollout_and_no_cluster_goes_back(play: Playground) -> None:
    await play.azure.forget()
    older = await play.push("Bring the till of spring")

    async def is_in_the_middle() -> bool:
        return (await play.azure.accepted()).total() > 5

    await eventually(is_in_the_middle, "the second stage is under way")
    newer = await play.push("Bring the till of summer")
    rollout = await play.ended(newer)
    assert {target["state"] for target in rollout["targets"]} == {"compliant"}
    given_up = await play.ended(older, until="superseded")
    assert given_up["supersededBy"] == rollout["id"]
    assert await play.commits_of() == {newer.commit}
    # Two writes at most, and the last one was the newer: so the older one never came after it.
    assert max((await play.azure.accepted()).values()) == 2


async def test_two_deliveries_in_the_wrong_order_end_on_the_newer_commit(play: Playground) -> None:
    await play.azure.forget()
    older = play.commit("Bring the till of autumn")
    newer = play.commit("Bring the till of winter")
    assert (await play.deliver(newer)).status == 202
    await play.rollout(newer)
    assert (await play.deliver(older)).status == 202
    await play.ended(newer)
    assert await play.queues.are_empty("changes", "changes-poison")
    assert "change.stale" in play.logged()
    assert await play.rollouts_of(older) == []
    assert await play.commits_of() == {newer.commit}
    assert await play.azure.accepted() == dict.fromkeys(await play.azure.clusters(), 1)


async def test_two_deliveries_at_the_same_time_end_on_the_newer_commit(play: Playground) -> None:
    await play.azure.forget()
    older = play.commit("Bring the till of Monday")
    newer = play.commit("Bring the till of Tuesday")
    given = await asyncio.gather(play.deliver(newer), play.deliver(older))
    assert [answer.status for answer in given] == [202, 202]
    await play.ended(newer)
    assert {rollout["state"] for rollout in await play.rollouts_of(older)} <= {"superseded"}
    assert await play.commits_of() == {newer.commit}
    assert max((await play.azure.accepted()).values()) <= 2
