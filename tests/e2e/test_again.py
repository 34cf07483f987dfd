"""The same thing told again: one rollout, one update a target, one message to read."""

import asyncio
from collections import Counter

import pytest
import pytest_asyncio
from conftest import Start
from doubling import DoublingStack
from messages import announced
from playground import Playground
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: A message that finds its target being written by its twin comes back when the twin's turn is over at the latest.
SHORT_TURNS = {"APPLY_LEASE_SECONDS": "2"}
#: Of a notification that is on its way a twin waits for half a minute, and then finds that it was sent.
WORK = ("changes", "rollout-steps", "config-updates")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=50, kind=DoublingStack, settings=SHORT_TURNS)


async def test_a_push_delivered_five_times_with_every_message_doubled_moves_each_target_once(play: Playground) -> None:
    assert isinstance(play.stack, DoublingStack)
    push = play.commit()
    at_once = await asyncio.gather(*(play.deliver(push, delivery="d-1") for _ in range(3)))
    assert sorted(answer.status for answer in at_once) == [200, 200, 202]
    assert len({answer.text for answer in at_once}) == 1
    assert (await play.deliver(push, delivery="d-1")).status == 200
    assert (await play.deliver(push, delivery="d-2")).status == 202  # a replay under another id is another delivery

    rollout = await play.ended(push)
    assert Counter(target["state"] for target in rollout["targets"]) == {"compliant": 50}
    sent = play.stack.doubling.sent
    assert {queue for queue, _ in sent} == {"changes", "rollout-steps", "config-updates", "notifications"}
    assert sum(queue == "config-updates" for queue, _ in sent) >= 50
    await eventually(lambda: play.queues.are_empty(*WORK), "every twin is handled")
    await play.stack.doubling.send_all_again(play.queues)
    await eventually(lambda: play.queues.are_empty(*WORK), "every late copy is handled")

    assert await play.commits_of() == {push.commit}
    once = dict.fromkeys(await play.azure.clusters(), 1)
    assert Counter(patch.cluster for patch in await play.azure.patches()) == once
    assert [one["revision"] for one in (await play.get("rollouts"))[1]["rollouts"]] == [push.commit]
    titles = ["Rollout started: platform", "Stage done: platform / canary", "Stage done: platform / prod", "Rollout finished: platform"]

    async def all_told() -> bool:
        return all([len(await play.azure.messages(channel)) >= len(titles) for channel in ("teams", "slack")])

    await eventually(all_told, "Teams and Slack, which takes one message a second, have every message")
    for channel in ("teams", "slack"):
        assert Counter(announced(await play.azure.messages(channel))) == dict.fromkeys(titles, 1)
