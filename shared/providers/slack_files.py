"""Pictures in Slack: a file of the bot's, named by an image block.

In three steps (https://docs.slack.dev/messaging/working-with-files#upload): an address is asked for, the bytes go there, the upload is
finished. Without a channel nobody else sees the file, and a message of the same bot may show it. Needs the scope files:write.
"""

import asyncio
import re
from typing import Any
from urllib.parse import urlencode

import msgspec

from shared.domain.announcements import Picture
from shared.domain.errors import Malformed, SluiceError, Unavailable
from shared.log import event_logger
from shared.providers.http import OutboundHttp
from shared.providers.slack_api import SlackApi
from shared.providers.wording import Message, line

log = event_logger("sluice.notify")

NOT_YET_KNOWN = "invalid_blocks"  #: what chat.postMessage says of a file that Slack still works on (slackapi/python-slack-sdk issue 1521)
_FORM = "application/x-www-form-urlencoded"
_NAME = "compliance.png"
_ALT_TEXT = 2000  #: characters (https://docs.slack.dev/reference/block-kit/blocks/image-block)
_SECONDS = 8  #: for all three: a message must not wait for its picture
_FILE_ID = re.compile(r"F[A-Z0-9]{2,40}")


async def upload(http: OutboundHttp, api: SlackApi, picture: Picture) -> str:
    """The id of the file; "" where Slack does not take it, as without the scope."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await _upload(http, f"{api.base}/", api.headers, picture)
    except (SluiceError, TimeoutError) as error:
        code = error.code if isinstance(error, Unavailable) else ""
        log.warning("notification.picture-left-out", extra={"error": type(error).__name__, "code": code})
        return ""


def illustrated(message: Message, file_id: str, picture: Picture) -> Message:
    """The message with the picture before its lists."""
    blocks = message["blocks"]
    at = next((index for index, block in enumerate(blocks) if block["type"] == "rich_text"), len(blocks))
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": line(picture.text, _ALT_TEXT)}
    return {**message, "blocks": [*blocks[:at], image, *blocks[at:]]}


async def _upload(http: OutboundHttp, api: str, headers: dict[str, str], picture: Picture) -> str:
    place = await _call(http, f"{api}files.getUploadURLExternal", headers, filename=_NAME, length=str(len(picture.png)))
    address, file_id = str(place.get("upload_url")), str(place.get("file_id"))
    if not _FILE_ID.fullmatch(file_id):
        raise Malformed("Slack names no file")
    await http.post_bytes(address, picture.png, headers={}, content_type="application/octet-stream")
    files = msgspec.json.encode([{"id": file_id, "title": "Compliance"}]).decode()
    await _call(http, f"{api}files.completeUploadExternal", headers, files=files)
    return file_id


async def _call(http: OutboundHttp, address: str, headers: dict[str, str], **fields: str) -> dict[str, Any]:
    """As a form, which every method takes."""
    answer = await http.post_bytes(address, urlencode(fields).encode(), headers=headers, content_type=_FORM)
    try:
        told = msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise Unavailable("Slack's answer is not JSON", code="NotJson") from None
    if told.get("ok") is not True:
        error = told.get("error")
        raise Unavailable("Slack takes no picture", code=error if isinstance(error, str) and re.fullmatch(r"[a-z_]{1,64}", error) else "")
    return told
