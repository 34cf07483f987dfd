"""Slack's Web API and incoming webhooks: the Web API answers HTTP 200 with `ok`, the webhook real HTTP statuses.

https://docs.slack.dev/reference/methods (one page a method) and https://docs.slack.dev/apis/web-api/rate-limits
"""

import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from local.azure.buckets import FixedWindow
from local.azure.journal import Journal
from local.azure.slack_blocks import SlackRefusalError, check_message, check_view
from local.azure.slack_files import SlackFiles
from local.azure.slack_messages import Messages, channel_id

CHANNEL = "slack"
_MINUTE = 60.0
#: Calls a minute of the methods' tiers.
PER_MINUTE = {"chat.update": 50, "chat.delete": 50, "conversations.history": 50, "views.open": 100, "chat.postEphemeral": 100}
#: A token with this in it lacks the scope to read channels.
WITHOUT_HISTORY = "no-history"
_TRIGGER = re.compile(r"[0-9]+\.[0-9]+\.[0-9a-f]{32}")

Json = dict[str, Any]


class Slack:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._files = SlackFiles(journal)
        self._windows: dict[str, FixedWindow] = {}
        self._messages = Messages()
        self._exchanged: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        methods: dict[str, Callable[[Json], Json | web.Response]] = {
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._post_ephemeral,
            "views.open": self._open_view,
        }
        return [
            *(web.post(f"/slack/api/{name}", self._handler(name, method)) for name, method in methods.items()),
            web.get("/slack/api/conversations.history", self.history),
            web.post("/slack/services/{path:.+}", self.incoming_webhook),
            *self._files.routes(),
        ]

    async def incoming_webhook(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        limited = self._limited(f"webhook {path}", 1, 1.0)
        if limited:
            return web.Response(status=429, text="rate_limited", headers=limited)
        try:
            message = await _body(request)
            check_message(message)
        except SlackRefusalError as refusal:
            return web.Response(status=400, text="invalid_payload" if refusal.code == "invalid_json" else refusal.code)
        self._journal.keep(CHANNEL, method="webhook", path=path, body=message)
        return web.Response(text="ok")

    async def history(self, request: web.Request) -> web.Response:
        try:
            _check_may_read(_token(request))
            if limited := self._over("conversations.history"):
                return limited
            asked = request.query
            messages = self._messages.history(
                asked.get("channel", ""),
                float(asked.get("oldest", "0")),
                int(asked.get("limit", "100")),
                with_metadata=asked.get("include_all_metadata") == "true",
            )
        except SlackRefusalError as refusal:
            return _refusal(refusal)
        return web.json_response({"ok": True, "messages": messages, "has_more": False})

    def _handler(self, name: str, method: Callable[[Json], Json | web.Response]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            try:
                _token(request)
                message = await _body(request)
                if limited := self._over(name):
                    return limited
                answer = method(message)
            except SlackRefusalError as refusal:
                return _refusal(refusal)
            return answer if isinstance(answer, web.Response) else web.json_response(answer)

        return handle

    def _post_message(self, message: Json) -> Json | web.Response:
        channel = channel_id(str(message.get("channel") or ""))
        if limited := self._limited(f"post {channel}", 1, 1.0):
            return _throttled(limited)
        check_message(message)
        if problems := self._files.problems(message.get("blocks") or []):
            raise SlackRefusalError("invalid_blocks", [f"[ERROR] {problem}" for problem in problems])
        posted = self._messages.post(channel, message)
        self._journal.keep(CHANNEL, method="chat.postMessage", ts=posted.ts, body=message)
        return {"ok": True, "channel": channel, "ts": posted.ts, "message": {"text": message.get("text", "")}}

    def _update(self, message: Json) -> Json:
        """What is left out stays, but text and blocks, which are replaced together."""
        posted = self._messages.find(str(message.get("channel") or ""), str(message.get("ts") or ""))
        check_message(message)
        kept = {name: value for name, value in posted.body.items() if name not in ("text", "blocks", "attachments")}
        posted.body = kept | {name: value for name, value in message.items() if name not in ("channel", "ts")}
        self._journal.keep(CHANNEL, method="chat.update", ts=posted.ts, body=message)
        return {"ok": True, "channel": posted.channel, "ts": posted.ts, "text": message.get("text", "")}

    def _delete(self, message: Json) -> Json:
        channel, ts = str(message.get("channel") or ""), str(message.get("ts") or "")
        self._messages.delete(channel, ts)
        return {"ok": True, "channel": channel, "ts": ts}

    def _post_ephemeral(self, message: Json) -> Json:
        channel_id(str(message.get("channel") or ""))
        if not message.get("user"):
            raise SlackRefusalError("user_not_found")
        check_message(message)
        self._journal.keep(CHANNEL, method="chat.postEphemeral", ts="", body=message)
        return {"ok": True, "message_ts": "0.000000"}

    def _open_view(self, message: Json) -> Json:
        """A trigger opens one dialog."""
        trigger = str(message.get("trigger_id") or "")
        if not _TRIGGER.fullmatch(trigger):
            raise SlackRefusalError("invalid_trigger_id")
        if trigger in self._exchanged:
            raise SlackRefusalError("exchanged_trigger_id")
        check_view(message.get("view"))
        self._exchanged.add(trigger)
        self._journal.keep(CHANNEL, method="views.open", ts="", body=message)
        return {"ok": True, "view": message["view"] | {"id": f"V{len(self._exchanged):09}"}}

    def _over(self, method: str) -> web.Response | None:
        limit = PER_MINUTE.get(method)
        limited = self._limited(method, limit, _MINUTE) if limit else None
        return _throttled(limited) if limited else None

    def _limited(self, key: str, limit: int, seconds: float) -> dict[str, str] | None:
        take = self._windows.setdefault(key, FixedWindow(limit, seconds)).take()
        return None if take.allowed else {"Retry-After": str(take.retry_after_seconds)}


def _throttled(headers: dict[str, str]) -> web.Response:
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


def _refusal(refusal: SlackRefusalError) -> web.Response:
    metadata = {"response_metadata": {"messages": refusal.messages}} if refusal.messages else {}
    return web.json_response({"ok": False, "error": refusal.code} | metadata)


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SlackRefusalError("not_authed")
    if not token.startswith("xoxb-"):
        raise SlackRefusalError("invalid_auth")
    return token


def _check_may_read(token: str) -> None:
    if WITHOUT_HISTORY in token:
        raise SlackRefusalError("missing_scope")


async def _body(request: web.Request) -> Json:
    """JSON, or a form whose `blocks` (or, for a webhook, `payload`) is JSON."""
    try:
        if request.content_type == "application/json":
            body = json.loads(await request.read())
        else:
            form: Json = {name: str(value) for name, value in (await request.post()).items()}
            body = json.loads(form["payload"]) if "payload" in form else form
            if isinstance(body.get("blocks"), str):
                body["blocks"] = json.loads(body["blocks"])
    except (ValueError, AttributeError) as error:
        raise SlackRefusalError("invalid_json") from error
    if not isinstance(body, dict):
        raise SlackRefusalError("invalid_json")
    return body
