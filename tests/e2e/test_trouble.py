"""Azure and the chats in trouble, and messages that nobody can work on."""

import json
import re
from collections import Counter

import pytest
import pytest_asyncio
from conftest import Start
from messages import announced, text_of
from playground import Playground
from waiting import eventually

from shared.domain.messages import PlanChange, encode

pytestmark = pytest.mark.asyncio(loop_scope="module")

TITLES = ["Rollout started: platform", "Stage done: platform / canary", "Stage done: platform / prod", "Rollout finished: platform"]
TRIES = 5  # host.json, maxDequeueCount
GRAVE = re.compile(r"sluice replay ([0-9a-f]{32})")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=20)


async def test_a_rollout_completes_through_outages_and_each_message_arrives_once(play: Playground) -> None:
    for status, code in ((429, "SubscriptionRequestsThrottled"), (503, "ServerTimeout"), (409, "Conflict")):
        await play.azure.fail_requests("PATCH", "/fluxConfigurations/", status=status, code=code, times=4, retryAfter=1)
    await play.azure.fail_requests("PATCH", "/fluxConfigurations/", status=504, code="GatewayTimeout", times=2, retryAfter=1, after=True)
    await play.azure.fail_requests("POST", "/Microsoft.ResourceGraph/", status=429, code="RateLimiting", times=2, retryAfter=1)
    await play.azure.fail_requests("POST", "^/teams/", status=500, times=2)
    await play.azure.fail_requests("POST", "^/slack/", status=503, times=1)
    push = await play.push()
    rollout = await play.ended(push)
    assert Counter(target["state"] for target in rollout["targets"]) == {"compliant": 20}
    assert await play.commits_of() == {push.commit}
    refused = Counter(patch.status for patch in await play.azure.patches() if patch.status >= 400)
    assert refused == {429: 4, 503: 4, 409: 4, 504: 2}
    assert await play.azure.accepted() == dict.fromkeys(await play.azure.clusters(), 1)

    async def all_told() -> bool:
        return all([len(await play.azure.messages(channel)) >= len(TITLES) for channel in ("teams", "slack")])

    await eventually(all_told, "Teams and Slack have every message", within_seconds=30)
    await eventually(lambda: play.queues.are_empty("notifications"), "no message is on its way")
    for channel in ("teams", "slack"):
        assert Counter(announced(await play.azure.messages(channel))) == dict.fromkeys(TITLES, 1)


async def test_a_poison_message_is_audited_and_told_and_disturbs_nobody(play: Playground) -> None:
    await play.azure.forget()
    play.tell_at_once()
    poison = ["this is not JSON", encode(PlanChange(source="0" * 32, change_id="f" * 32))]
    await play.stack.kill_host()
    for text in poison:
        await play.queues.send("changes", text)
    await play.queues.use_up("changes", TRIES - 1)  # the host has its last try itself
    await play.stack.start_host()
    push = await play.push()
    await play.ended(push)
    assert await play.commits_of() == {push.commit}

    async def told() -> set[str]:
        """By the command that puts each back: both in one message, or each in its own."""
        texts = [text_of(body) for body in await play.azure.messages("teams")]
        found = {grave for text in texts if "failed in changes" in text for grave in GRAVE.findall(text)}
        return found if len(found) == len(poison) else set()

    graves = await eventually(told, "Teams got both messages", within_seconds=20)
    assert await play.queues.are_empty("changes", "changes-poison")
    listed = await play.sluice("replay", *play.state)
    assert all(grave in listed.output for grave in graves), listed
    records = [one for one in await play.database.documents("audit") if one["stream"] == "poison"]
    assert [one["number"] for one in sorted(records, key=lambda one: one["number"])] == [1, 2]
    assert {one["entryId"] for one in records} == graves
    assert poison[0] not in json.dumps(records)
    assert (await play.sluice("audit", "verify", *play.state)).status == 0
