"""Slack's files: uploaded in three steps, and shown by a block a moment later."""

import base64
import json
from typing import Any

from cloud_client import Answer, CloudClient, until

BOT = {"Authorization": "Bearer xoxb-1-2-abc"}
CONTENT = b"a picture"


async def form(cloud: CloudClient, method: str, headers: dict[str, str] | None = None, **fields: str) -> dict[str, Any]:
    """As Slack takes it: not JSON."""
    url = f"{cloud.origin}/slack/api/{method}"
    async with cloud._session.post(url, data=fields, headers=BOT if headers is None else headers) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def put(cloud: CloudClient, url: str, content: bytes) -> int:
    async with cloud._session.post(url, data=content) as response:
        return response.status


async def post(cloud: CloudClient, channel: str, **image: Any) -> Answer:
    message = {"channel": channel, "text": "x", "blocks": [{"type": "image", **image}]}
    return await cloud.call("POST", "/slack/api/chat.postMessage", message, headers=BOT)


async def test_a_file_goes_up_and_a_block_names_it_once_it_is_ready(cloud: CloudClient) -> None:
    place = await form(cloud, "files.getUploadURLExternal", filename="a.png", length=str(len(CONTENT)))
    file_id = place["file_id"]
    named = {"slack_file": {"id": file_id}, "alt_text": "it rises"}
    assert (await form(cloud, "files.completeUploadExternal", files=json.dumps([{"id": file_id}])))["ok"] is False
    assert await put(cloud, place["upload_url"], b"another length") == 400
    assert await put(cloud, place["upload_url"], CONTENT) == 200
    assert (await form(cloud, "files.completeUploadExternal", files=json.dumps([{"id": file_id}])))["ok"] is True
    early = (await post(cloud, "C1", **named)).body
    assert (early["error"], early["response_metadata"]["messages"]) == (
        "invalid_blocks",
        ["[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"],
    )

    async def shown() -> Answer | None:
        answer = await post(cloud, f"C{file_id}", **named)
        return answer if answer.body["ok"] else None

    assert (await until(shown)).status == 200
    kept = [one["body"] for one in await cloud.messages("slack-files") if one["body"]["id"] == file_id]
    assert [base64.b64decode(one["content"]) for one in kept] == [CONTENT]


async def test_what_is_not_there_or_not_said_is_refused(cloud: CloudClient) -> None:
    assert (await form(cloud, "files.getUploadURLExternal", {}, filename="a.png", length="1"))["error"] == "not_authed"
    assert (await form(cloud, "files.getUploadURLExternal", filename="a.png", length="none"))["error"] == "invalid_arguments"
    assert (await form(cloud, "files.completeUploadExternal", files=json.dumps([{"id": "F9"}])))["error"] == "file_not_found"
    assert (await form(cloud, "files.completeUploadExternal"))["error"] == "invalid_arguments"
    assert await put(cloud, f"{cloud.origin}/slack/upload/F9", b"x") == 400
    assert (await post(cloud, "C2", slack_file={"id": "F9"}, alt_text="x")).body["error"] == "invalid_blocks"
