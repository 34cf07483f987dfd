"""Slack's upload of files in three steps, and image blocks that name one.

https://docs.slack.dev/reference/methods/files.getUploadURLExternal and files.completeUploadExternal: forms, as everybody sends them.
What is finished is worked on for a moment, and until then no block may name it (slackapi/python-slack-sdk issue 1521).
"""

import json
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.azure.journal import Journal

CHANNEL = "slack-files"
WORKED_ON_SECONDS = 0.5
MAX_BYTES = 1024 * 1024


@dataclass
class _File:
    length: int
    content: bytes = b""
    ready_at: float | None = None


class SlackFiles:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._files: dict[str, _File] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/slack/api/files.getUploadURLExternal", self.get_upload_url),
            web.post("/slack/upload/{file}", self.upload),
            web.post("/slack/api/files.completeUploadExternal", self.complete),
        ]

    async def get_upload_url(self, request: web.Request) -> web.Response:
        form = await request.post()
        name, length = str(form.get("filename") or ""), str(form.get("length") or "")
        if not _is_bot(request) or not name or not length.isdecimal() or not 0 < int(length) <= MAX_BYTES:
            return web.json_response({"ok": False, "error": "invalid_arguments" if _is_bot(request) else "not_authed"})
        file_id = f"F{len(self._files) + 1:09}"
        self._files[file_id] = _File(length=int(length))
        return web.json_response(
            {"ok": True, "file_id": file_id, "upload_url": f"{request.scheme}://{request.host}/slack/upload/{file_id}"}
        )

    async def upload(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["file"])
        content = await request.read()
        if file is None or len(content) != file.length:
            return web.Response(status=400, text="invalid upload")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def complete(self, request: web.Request) -> web.Response:
        form = await request.post()
        named = [str(each.get("id")) for each in json.loads(str(form.get("files") or "[]"))]
        if not _is_bot(request) or not named or any(not self._files[each].content for each in named if each in self._files):
            return web.json_response({"ok": False, "error": "invalid_arguments" if _is_bot(request) else "not_authed"})
        if not self._files.keys() >= set(named):
            return web.json_response({"ok": False, "error": "file_not_found"})
        for each in named:
            file = self._files[each]
            file.ready_at = time.monotonic() + WORKED_ON_SECONDS
            self._journal.keep(CHANNEL, body={"id": each, "content": b64encode(file.content).decode()})
        return web.json_response({"ok": True, "files": [{"id": each} for each in named]})

    def problems(self, blocks: list[Any]) -> list[str]:
        """Image blocks that name a file which is not there, or not yet."""
        return [
            f"invalid slack file [json-pointer:/blocks/{index}/slack_file]"
            for index, block in enumerate(blocks)
            if isinstance(block, dict) and block.get("type") == "image" and not self._is_shown(block)
        ]

    def _is_shown(self, block: dict[str, Any]) -> bool:
        file = self._files.get(str((block.get("slack_file") or {}).get("id")))
        return bool(block.get("alt_text") and file and file.ready_at is not None and file.ready_at <= time.monotonic())


def _is_bot(request: web.Request) -> bool:
    return request.headers.get("Authorization", "").startswith("Bearer xoxb-")
