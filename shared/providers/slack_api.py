"""Slack's Web API: a call to a method, and what its errors mean.

It answers 200 to everything but throttling; `ok` tells. https://docs.slack.dev/apis/web-api and each method's own page there.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from shared.domain.errors import NotFound, Rejected, Throttled, Unavailable
from shared.providers.http import Answer, OutboundHttp

API = "https://slack.com/api"
_POST_MESSAGE = "/chat.postMessage"
_LONGEST_ANSWER = 1024 * 1024  # bytes: messages that are read come with all of their blocks

_THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
#: Part of the call may have succeeded (each method's own page).
_UNCERTAIN = frozenset({"internal_error", "fatal_error"})
#: The message that was to be edited, or answered in its thread, is not there any more.
_GONE = frozenset({"message_not_found", "thread_not_found", "cannot_reply_to_message"})


class SlackApi:
    """One app's bot token at one API. `address` names another host than Slack's own: the address of its API, or of its chat.postMessage."""

    def __init__(self, http: OutboundHttp, address: str, token: str) -> None:
        self._http = http
        self.base = address.rstrip("/").removesuffix(_POST_MESSAGE) or API
        self.headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, body: Mapping[str, object]) -> dict[str, Any]:
        """What a method that writes answers.

        Raises Throttled or Unavailable when it may work later, NotFound where the message is gone, Rejected for everything else; `code`
        is Slack's.
        """
        answer = await self._http.post_json(f"{self.base}/{method}", body, headers=self.headers)
        return self._told(answer)

    async def read(self, method: str, **query: str) -> dict[str, Any]:
        """What a method that reads answers. Raises as `call` does."""
        address = f"{self.base}/{method}?{urlencode(query)}"
        answer = await self._http.ask("GET", address, headers=self.headers, limit=_LONGEST_ANSWER)
        return self._told(answer)

    def _told(self, answer: Answer) -> dict[str, Any]:
        try:
            told = msgspec.convert(msgspec.json.decode(answer.body), dict[str, Any])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise Unavailable("Slack's answer is not JSON", code="NotJson", unanswered=True) from None
        if told.get("ok") is True:
            return told
        code = _code(told.get("error"))
        if code in _THROTTLED:
            raise Throttled("Slack asks to slow down", code=code, retry_after=self._http.retry_after(answer))
        if code in _PASSING:
            wait = self._http.retry_after(answer)
            raise Unavailable("Slack failed", code=code, retry_after=wait, unanswered=code in _UNCERTAIN)
        if code in _GONE:
            raise NotFound("the message is not in Slack any more")
        raise Rejected("Slack refuses the message", code=code)


def _code(error: object) -> str:
    return error if isinstance(error, str) and re.fullmatch(r"[a-z0-9_]{1,64}", error) else "unknown"
