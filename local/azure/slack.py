"""Slack's Web API and incoming webhooks: the Web API answers HTTP 200 with `ok`, the webhook real HTTP statuses.

https://docs.slack.dev/reference/methods/chat.postMessage and https://docs.slack.dev/apis/web-api/rate-limits
"""

import json
import time
from typing import Any

from aiohttp import web

from local.azure.buckets import FixedWindow
from local.azure.journal import Journal
from local.azure.slack_files import SlackFiles

CHANNEL = "slack"
MAX_BLOCKS = 50
MAX_SECTION = 3000
MAX_HEADER = 150
MAX_FIELDS, MAX_FIELD = 10, 2000
MAX_TEXT = 40_000
MAX_ALL_BLOCKS = 13_200
UPDATES_PER_MINUTE = 50


class SlackRefusalError(Exception):
    """Slack's error code, and its explanations of blocks that it refuses."""

    def __init__(self, code: str, messages: list[str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages or []


class Slack:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._files = SlackFiles(journal)
        self._windows: dict[str, FixedWindow] = {}
        self._posted: set[tuple[str, str]] = set()
        self._last_number = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/slack/api/chat.postMessage", self.post_message),
            web.post("/slack/api/chat.update", self.update),
            web.post("/slack/services/{path:.+}", self.incoming_webhook),
            *self._files.routes(),
        ]

    async def post_message(self, request: web.Request) -> web.Response:
        return await self._call(request, self._post_message)

    async def update(self, request: web.Request) -> web.Response:
        return await self._call(request, self._update)

    async def incoming_webhook(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        limited = self._limited(f"webhook {path}", 1, 1.0)
        if limited:
            return web.Response(status=429, text="rate_limited", headers=limited)
        try:
            message = await _body(request)
            _check_message(message)
        except SlackRefusalError as refusal:
            return web.Response(status=400, text="invalid_payload" if refusal.code == "invalid_json" else refusal.code)
        self._journal.keep(CHANNEL, method="webhook", path=path, body=message)
        return web.Response(text="ok")

    async def _call(self, request: web.Request, method: Any) -> web.Response:
        try:
            _check_token(request)
            message = await _body(request)
            answer = method(message)
        except SlackRefusalError as refusal:
            body: dict[str, Any] = {"ok": False, "error": refusal.code}
            metadata = {"response_metadata": {"messages": refusal.messages}} if refusal.messages else {}
            return web.json_response(body | metadata)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    def _post_message(self, message: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = str(message.get("channel") or "")
        if not channel:
            raise SlackRefusalError("channel_not_found")
        limited = self._limited(f"post {channel}", 1, 1.0)
        if limited:
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=limited)
        _check_message(message)
        if problems := self._files.problems(message.get("blocks") or []):
            raise SlackRefusalError("invalid_blocks", [f"[ERROR] {problem}" for problem in problems])
        thread = message.get("thread_ts")
        if thread and (channel, str(thread)) not in self._posted:
            raise SlackRefusalError("thread_not_found")
        timestamp = self._next_timestamp()
        self._posted.add((channel, timestamp))
        self._journal.keep(CHANNEL, method="chat.postMessage", ts=timestamp, body=message)
        return {"ok": True, "channel": channel, "ts": timestamp, "message": {"text": message.get("text", "")}}

    def _update(self, message: dict[str, Any]) -> dict[str, Any] | web.Response:
        limited = self._limited("update", UPDATES_PER_MINUTE, 60.0)
        if limited:
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=limited)
        channel, timestamp = str(message.get("channel") or ""), str(message.get("ts") or "")
        if (channel, timestamp) not in self._posted:
            raise SlackRefusalError("message_not_found")
        _check_message(message)
        self._journal.keep(CHANNEL, method="chat.update", ts=timestamp, body=message)
        return {"ok": True, "channel": channel, "ts": timestamp, "text": message.get("text", "")}

    def _limited(self, key: str, limit: int, seconds: float) -> dict[str, str] | None:
        take = self._windows.setdefault(key, FixedWindow(limit, seconds)).take()
        return None if take.allowed else {"Retry-After": str(take.retry_after_seconds)}

    def _next_timestamp(self) -> str:
        self._last_number = max(self._last_number + 1, int(time.time() * 1_000_000))
        return f"{self._last_number // 1_000_000}.{self._last_number % 1_000_000:06}"


def _check_token(request: web.Request) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SlackRefusalError("not_authed")
    if not token.startswith("xoxb-"):
        raise SlackRefusalError("invalid_auth")


async def _body(request: web.Request) -> dict[str, Any]:
    """JSON, or a form whose `blocks` (or, for a webhook, `payload`) is JSON."""
    try:
        if request.content_type == "application/json":
            body = json.loads(await request.read())
        else:
            form: dict[str, Any] = {name: str(value) for name, value in (await request.post()).items()}
            body = json.loads(form["payload"]) if "payload" in form else form
            if isinstance(body.get("blocks"), str):
                body["blocks"] = json.loads(body["blocks"])
    except (ValueError, AttributeError) as error:
        raise SlackRefusalError("invalid_json") from error
    if not isinstance(body, dict):
        raise SlackRefusalError("invalid_json")
    return body


def _check_message(message: dict[str, Any]) -> None:
    text, blocks = message.get("text") or "", message.get("blocks") or []
    if not text and not blocks and not message.get("attachments"):
        raise SlackRefusalError("no_text")
    if len(text) > MAX_TEXT:
        raise SlackRefusalError("msg_too_long")
    if not isinstance(blocks, list):
        raise SlackRefusalError("invalid_blocks_format")
    problems = _block_problems(blocks)
    if problems:
        raise SlackRefusalError("invalid_blocks", [f"[ERROR] {problem}" for problem in problems])
    if sum(_text_length(block) for block in blocks) > MAX_ALL_BLOCKS:
        raise SlackRefusalError("msg_blocks_too_long")


def _block_problems(blocks: list[Any]) -> list[str]:
    problems = [f"no more than {MAX_BLOCKS} items allowed [json-pointer:/blocks]"] if len(blocks) > MAX_BLOCKS else []
    for index, block in enumerate(blocks):
        where = f"[json-pointer:/blocks/{index}"
        if not isinstance(block, dict) or not block.get("type"):
            problems.append(f"missing required field: type {where}]")
            continue
        limit = {"section": MAX_SECTION, "header": MAX_HEADER}.get(block["type"])
        if limit and len(_text(block.get("text"))) > limit:
            problems.append(f"must be less than {limit + 1} characters {where}/text/text]")
        if block["type"] == "header" and (block.get("text") or {}).get("type") != "plain_text":
            problems.append(f"header text must be plain_text {where}/text]")
        fields = block.get("fields") or []
        if len(fields) > MAX_FIELDS or any(len(_text(field)) > MAX_FIELD for field in fields):
            problems.append(f"no more than {MAX_FIELDS} fields of {MAX_FIELD} characters {where}/fields]")
    return problems


def _text(part: Any) -> str:
    return str(part.get("text") or "") if isinstance(part, dict) else ""


def _text_length(value: Any) -> int:
    """The characters in every `text` of a block, however deep."""
    if isinstance(value, list):
        return sum(_text_length(item) for item in value)
    if not isinstance(value, dict):
        return 0
    return sum(len(item) if name == "text" and isinstance(item, str) else _text_length(item) for name, item in value.items())
