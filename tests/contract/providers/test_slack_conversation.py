"""One message a rollout and its thread, on a server that behaves as Slack's documentation says."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from git_hosts import Serve
from msgspec.structs import replace

from local.azure.journal import Journal
from local.azure.slack import Slack
from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.conversations import Place
from shared.domain.deliveries import Parcel
from shared.domain.errors import NotFound, Rejected, Throttled, Unavailable
from shared.domain.interactions import Asked
from shared.domain.overviews import Overview, Question, StageView
from shared.domain.rollouts import Rollout
from shared.providers.http import OutboundHttp
from shared.providers.slack_conversation import SlackConversation
from shared.providers.slack_dialog import SlackDialog

NOW = datetime.now(UTC)
VIEW = Overview(
    rollout="r-1",
    route="platform",
    state="running",
    words="waiting",
    commit="0a1b2c3d",
    title="Bring a new till",
    source="github.com/contoso/platform",
    ref="main",
    author="alice",
    forced=False,
    stages=(StageView(name="prod", state="running", total=1000, done=950, failed=30, offline=20, skipped=0),),
    waiting_for="approval of platform-leads",
    since=NOW,
    next_step="Approve or reject: platform-leads may.",
    questions=(Question(stage="prod", gate="go", approvers=("platform-leads",), approved=0, required=1, link="https://sluice.example/x"),),
    link="https://sluice.example/r",
    failures_link="https://sluice.example/f",
)
PARCEL = Parcel(
    id="p",
    announcements=(
        Announcement(
            id="a", kind="stage.failed", severity="error", title="Stage failed", summary="30", clusters=(ClusterLine("c", "why"),)
        ),
    ),
)


class Workspace:
    """A simulated Slack, and how to call it."""

    def __init__(self, journal: Journal, address: str, http: OutboundHttp) -> None:
        self.journal = journal
        self.address = address
        self.http = http

    def chat(self, *, token: str = "xoxb-1", channel: str = "#ops", asks: bool = True) -> SlackConversation:  # noqa: S107 -- no secret
        return SlackConversation(self.http, self.address, token, channel, asks=asks)

    def bodies(self, method: str) -> list[dict[str, Any]]:
        return [one["body"] for one in self.journal.messages if one["method"] == method]


@pytest.fixture
async def workspace(serve: Serve, git_http: OutboundHttp) -> Workspace:
    journal = Journal()
    app = web.Application()
    app.add_routes(Slack(journal).routes())
    return Workspace(journal, f"{await serve(app)}/slack/api/chat.postMessage", git_http)


async def test_a_head_is_posted_edited_and_answered_in_its_thread(workspace: Workspace) -> None:
    chat = workspace.chat()
    head = await chat.open(VIEW, key="k", opens_with="Rollout started: platform")
    assert head.channel.startswith("C")  # its id: only chat.postMessage takes a name
    await chat.edit(head, replace(VIEW, words="under way", questions=()))
    with pytest.raises(Throttled) as slow:
        await chat.reply(head, PARCEL, broadcast=False)  # one message a second and channel
    assert slow.value.retry_after == 1
    (posted,) = workspace.bodies("chat.postMessage")
    assert (posted["text"], posted["channel"]) == ("Rollout started: platform", "#ops")
    assert any(block["type"] == "actions" for block in posted["blocks"])
    (edited,) = workspace.bodies("chat.update")
    assert (edited["text"], edited["parse"]) == ("platform: under way, 950 of 1,000 clusters, 30 failed", "none")
    assert not any(block["type"] == "actions" for block in edited["blocks"])


async def once_its_second_is_over(reply: Callable[..., Awaitable[None]], head: Place, *, broadcast: bool) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(Throttled):
                return await reply(head, PARCEL, broadcast=broadcast)


@pytest.mark.parametrize("broadcast", [False, True])
async def test_a_reply_is_in_the_thread_and_in_the_channel_only_where_asked(workspace: Workspace, *, broadcast: bool) -> None:
    head = await workspace.chat(channel="C00000001").open(VIEW, key="k", opens_with="")
    with pytest.raises(NotFound):
        await workspace.chat().reply(Place(channel="C00000003", ts=head.ts), PARCEL, broadcast=broadcast)
    await once_its_second_is_over(workspace.chat().reply, head, broadcast=broadcast)
    _, replied = workspace.bodies("chat.postMessage")
    assert (replied["thread_ts"], replied.get("reply_broadcast", False)) == (head.ts, broadcast)


async def test_a_head_is_found_again_by_its_key(workspace: Workspace) -> None:
    chat = workspace.chat(channel="C00000001")
    since = datetime.now(UTC)
    head = await chat.open(VIEW, key="k-1", opens_with="")
    await chat.edit(head, VIEW)
    assert await chat.find("k-1", since) == head
    assert await chat.find("k-2", since) is None
    assert await chat.find("k-1", since + timedelta(minutes=10)) is None


async def test_without_scope_or_the_channels_id_nothing_is_found(workspace: Workspace) -> None:
    chat = workspace.chat(token="xoxb-no-history", channel="C00000001")
    await chat.open(VIEW, key="k", opens_with="")
    assert await chat.find("k", NOW) is None
    assert await workspace.chat(channel="#ops").find("k", NOW) is None


async def test_a_deleted_head_is_gone(workspace: Workspace) -> None:
    chat = workspace.chat(channel="C00000001")
    head = await chat.open(VIEW, key="k", opens_with="")
    headers = {"Authorization": "Bearer xoxb-1"}
    address = workspace.address.replace("postMessage", "delete")
    await workspace.http.post_json(address, {"channel": head.channel, "ts": head.ts}, headers=headers)
    with pytest.raises(NotFound):
        await chat.edit(head, VIEW)


async def test_edits_are_limited_as_tier_3_is(workspace: Workspace) -> None:
    chat = workspace.chat(channel="C00000001")
    head = await chat.open(VIEW, key="k", opens_with="")
    for _ in range(50):
        await chat.edit(head, VIEW)
    with pytest.raises(Throttled) as slow:
        await chat.edit(head, VIEW)
    assert slow.value.retry_after


ROLLOUT = Rollout(
    id="r-1",
    route="platform",
    source="s",
    url="github.com/contoso/platform",
    ref="refs/heads/main",
    revision="0a1b2c3d",
    change_id="c",
    sequence=1,
    author="alice",
    title="Bring a new till",
    forced=False,
    stages=(),
    created_at=NOW,
    updated_at=NOW,
)


async def test_a_click_opens_one_dialog(workspace: Workspace) -> None:
    dialog = SlackDialog(workspace.http, workspace.address, "xoxb-1")
    trigger, asked = f"12.34.{'0a' * 16}", Asked(rollout="r-1", stage="prod", gate="go")
    await dialog.ask(trigger, "approve", asked, ROLLOUT)
    with pytest.raises(Rejected) as again:
        await dialog.ask(trigger, "approve", asked, ROLLOUT)
    assert again.value.code == "exchanged_trigger_id"
    (opened,) = workspace.bodies("views.open")
    assert opened["view"]["callback_id"] == "gate.approve"


async def test_a_whisper_is_for_one(workspace: Workspace) -> None:
    await SlackDialog(workspace.http, workspace.address, "xoxb-1").whisper("C00000001", "U1", "You are <!channel> not & mapped")
    (told,) = workspace.bodies("chat.postEphemeral")
    assert (told["user"], told["text"]) == ("U1", "You are \u2039!channel&gt; not &amp; mapped")


@pytest.mark.parametrize("answer", [{"ok": True}, {"ok": True, "ts": 1, "channel": "C1"}])
async def test_an_answer_without_a_place_is_none(serve: Serve, git_http: OutboundHttp, answer: dict[str, Any]) -> None:
    async def post(_: web.Request) -> web.Response:
        return web.json_response(answer)

    app = web.Application()
    app.add_routes([web.post("/api/chat.postMessage", post)])
    chat = SlackConversation(git_http, f"{await serve(app)}/api/", "xoxb-1", "C1", asks=False)
    with pytest.raises(Unavailable):
        await chat.open(VIEW, key="k", opens_with="")


@pytest.mark.parametrize("messages", [None, [1], [{"metadata": []}], [{"metadata": {"event_payload": {"conversation": "k"}}, "ts": 5}]])
async def test_a_strange_history_finds_nothing(serve: Serve, git_http: OutboundHttp, messages: object) -> None:
    async def read(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "messages": messages})

    app = web.Application()
    app.add_routes([web.get("/api/conversations.history", read)])
    chat = SlackConversation(git_http, f"{await serve(app)}/api", "xoxb-1", "C1", asks=False)
    assert await chat.find("k", NOW) is None
