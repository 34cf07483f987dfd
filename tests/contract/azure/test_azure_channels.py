"""Teams, Slack and plain webhooks: their limits, their errors, and what is kept of a message."""

import asyncio
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from cloud_client import Answer, CloudClient

BOT = {"Authorization": "Bearer xoxb-1-2-abc"}


def card(text: str = "Rollout paused", **more: Any) -> dict[str, Any]:
    content = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": text}], **more}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


async def teams(cloud: CloudClient, path: str, message: dict[str, Any]) -> Answer:
    return await cloud.call("POST", f"/teams/{path}", message, headers={})


async def slack(cloud: CloudClient, method: str, headers: dict[str, str] | None = None, **message: Any) -> Answer:
    return await cloud.call("POST", f"/slack/api/{method}", message, headers=BOT if headers is None else headers)


def channel() -> str:
    return f"C{uuid.uuid4().hex[:10].upper()}"


async def test_teams_takes_a_card_and_keeps_it(cloud: CloudClient) -> None:
    path = f"workflows/{uuid.uuid4().hex}/invoke"
    assert (await teams(cloud, path, card())).status == 202
    assert [one["body"] for one in await cloud.messages("teams") if one["path"] == path] == [card()]


async def test_teams_takes_four_requests_a_second(cloud: CloudClient) -> None:
    path = uuid.uuid4().hex
    answers = [await teams(cloud, path, card()) for _ in range(5)]
    assert [answer.status for answer in answers] == [202] * 4 + [429]
    assert answers[-1].headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (card("x" * 28 * 1024), 413),
        ({"text": "plain"}, 400),
        (card(version="2.0"), 400),
        (card(type="MessageCard"), 400),
        (card(body=[{"type": "Nonsense"}]), 400),
        (card(body=[{"type": "TextBlock"}]), 400),
        (card(body=[{"type": "Container", "items": [{"type": "Image"}]}]), 400),
        (card(body=[{"type": "RichTextBlock", "inlines": [{"type": "TextBlock", "text": "x"}]}]), 400),
        (card(body=[{"type": "Table", "rows": [{"cells": [{"items": [{"type": "Nonsense"}]}]}]}]), 400),
        (card(body=[{"type": "ColumnSet", "columns": [{"items": [{"type": "Nonsense"}]}]}]), 400),
        (card(actions=[{"type": "Action.OpenUrl", "title": "Open", "url": "/relative"}]), 400),
        (card(actions=[{"type": "Action.Http"}]), 400),
    ],
)
async def test_teams_refuses_what_it_cannot_show(cloud: CloudClient, message: dict[str, Any], status: int) -> None:
    assert (await teams(cloud, uuid.uuid4().hex, message)).status == status


async def test_slack_posts_updates_and_threads(cloud: CloudClient) -> None:
    where = channel()
    posted = (await slack(cloud, "chat.postMessage", channel=where, text="paused")).body
    assert posted["ok"]
    edited = (await slack(cloud, "chat.update", channel=where, ts=posted["ts"], text="resumed")).body
    assert (edited["ok"], edited["ts"]) == (True, posted["ts"])
    unknown = (await slack(cloud, "chat.update", channel=where, ts="1.000001", text="x")).body
    assert unknown == {"ok": False, "error": "message_not_found"}
    bodies = [(one["method"], one["body"]["text"]) for one in await cloud.messages("slack") if one["ts"] == posted["ts"]]
    assert bodies == [("chat.postMessage", "paused"), ("chat.update", "resumed")]


async def test_slack_takes_one_message_a_second_and_channel(cloud: CloudClient) -> None:
    where = channel()
    first = await slack(cloud, "chat.postMessage", channel=where, text="one")
    second = await slack(cloud, "chat.postMessage", channel=where, text="two")
    elsewhere = await slack(cloud, "chat.postMessage", channel=channel(), text="three")
    assert [answer.status for answer in (first, second, elsewhere)] == [200, 429, 200]
    assert (second.body["error"], second.headers["Retry-After"]) == ("ratelimited", "1")


async def history(cloud: CloudClient, token: str = "xoxb-1", **query: str) -> dict[str, Any]:  # noqa: S107 -- no secret
    path = f"/slack/api/conversations.history?{urlencode(query)}"
    return (await cloud.call("GET", path, headers={"Authorization": f"Bearer {token}"})).body


async def test_slack_knows_a_channel_by_name_only_where_it_posts(cloud: CloudClient) -> None:
    name = f"#{uuid.uuid4().hex}"
    posted = (await slack(cloud, "chat.postMessage", channel=name, text="x")).body
    assert posted["channel"].startswith("C")
    refused = (await slack(cloud, "chat.update", channel=name, ts=posted["ts"], text="y")).body
    assert refused == {"ok": False, "error": "channel_not_found"}
    assert (await slack(cloud, "chat.update", channel=posted["channel"], ts=posted["ts"], text="y")).body["ok"]
    assert (await history(cloud, channel=name))["error"] == "channel_not_found"


async def test_slack_shows_what_stands_in_a_channel_but_not_its_threads(cloud: CloudClient) -> None:
    where = channel()
    metadata = {"event_type": "t", "event_payload": {"a": "b"}}
    head = (await slack(cloud, "chat.postMessage", channel=where, text="head", metadata=metadata)).body
    await slack(cloud, "chat.update", channel=where, ts=head["ts"], text="edited")

    async def reply() -> bool:
        answer = await slack(cloud, "chat.postMessage", channel=where, text="reply", thread_ts=head["ts"])
        return bool(answer.body["ok"])

    async with asyncio.timeout(10):
        while not await reply():
            continue
    shown = await history(cloud, channel=where, include_all_metadata="true")
    assert [(one["text"], one["metadata"]) for one in shown["messages"]] == [("edited", metadata)]
    assert "metadata" not in (await history(cloud, channel=where))["messages"][0]
    assert (await history(cloud, token="xoxb-no-history", channel=where))["error"] == "missing_scope"
    assert (await slack(cloud, "chat.delete", channel=where, ts=head["ts"])).body["ok"]
    assert (await history(cloud, channel=where))["messages"] == []
    gone = await slack(cloud, "chat.update", channel=where, ts=head["ts"], text="x")
    assert gone.body["error"] == "message_not_found"


VIEW = {"type": "modal", "title": {"type": "plain_text", "text": "Approve"}, "blocks": []}


async def test_slack_opens_one_dialog_a_trigger(cloud: CloudClient) -> None:
    trigger = f"12.34.{uuid.uuid4().hex}"
    answers = [(await slack(cloud, "views.open", trigger_id=each, view=VIEW)).body for each in (trigger, trigger, "")]
    assert [answer.get("error") for answer in answers] == [None, "exchanged_trigger_id", "invalid_trigger_id"]


@pytest.mark.parametrize(
    "view",
    [
        {"type": "home"},
        VIEW | {"title": {"type": "plain_text", "text": "x" * 25}},
        VIEW | {"private_metadata": "x" * 3001},
        VIEW | {"blocks": [{"type": "input"}]},
        {"type": "modal", "blocks": []},
    ],
)
async def test_slack_refuses_a_dialog_that_it_cannot_show(cloud: CloudClient, view: dict[str, Any]) -> None:
    answer = await slack(cloud, "views.open", trigger_id=f"12.34.{uuid.uuid4().hex}", view=view)
    assert answer.body["error"] == "invalid_arguments"


async def test_slack_whispers_to_one(cloud: CloudClient) -> None:
    assert (await slack(cloud, "chat.postEphemeral", channel=channel(), user="U1", text="x")).body["ok"]
    assert (await slack(cloud, "chat.postEphemeral", channel=channel(), text="x")).body["error"] == "user_not_found"


def section(length: int) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


def button(**fields: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go", **fields}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": [section(1)] * 51}, "invalid_blocks"),
        ({"blocks": [section(3001)]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
        ({"blocks": [section(3000)] * 5}, "msg_blocks_too_long"),
        ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "plain_text", "text": ""}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button(), button()]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button(style="large")]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button(value="x" * 2001)]}]}, "invalid_blocks"),
        ({"blocks": [section(1) | {"block_id": "a"}] * 2}, "invalid_blocks"),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ],
)
async def test_slack_names_what_is_wrong_with_http_200(cloud: CloudClient, message: dict[str, Any], error: str) -> None:
    answer = await slack(cloud, "chat.postMessage", channel=channel(), **message)
    assert (answer.status, answer.body["ok"], answer.body["error"]) == (200, False, error)


@pytest.mark.parametrize(("headers", "error"), [({}, "not_authed"), ({"Authorization": "Bearer xoxp-user"}, "invalid_auth")])
async def test_slack_wants_a_bot_token(cloud: CloudClient, headers: dict[str, str], error: str) -> None:
    answer = await slack(cloud, "chat.postMessage", headers, channel=channel(), text="x")
    assert (answer.status, answer.body) == (200, {"ok": False, "error": error})


async def test_a_slack_webhook_answers_in_plain_text(cloud: CloudClient) -> None:
    path = f"/slack/services/T0/B0/{uuid.uuid4().hex}"
    good = await cloud.call("POST", path, {"text": "hello"}, headers={})
    early = await cloud.call("POST", path, {"text": "again"}, headers={})
    bad = await cloud.call("POST", f"{path}x", {}, headers={})
    assert [(one.status, one.body) for one in (good, early, bad)] == [
        (200, "ok"),
        (429, "rate_limited"),
        (400, "no_text"),
    ]


async def test_a_hook_keeps_headers_but_no_credentials(cloud: CloudClient) -> None:
    name = uuid.uuid4().hex
    headers = {"X-Signature": "sha256=00", "Authorization": "Bearer secret"}
    assert (await cloud.call("POST", f"/hooks/{name}", {"event": "x"}, headers=headers)).status == 200
    [message] = [one for one in await cloud.messages("hooks") if one["name"] == name]
    assert message["body"] == {"event": "x"}
    assert message["headers"]["X-Signature"] == "sha256=00"
    assert "secret" not in str(message)
