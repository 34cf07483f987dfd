"""Slack: Block Kit by chat.postMessage (bot token and channel) or by an incoming webhook.

Texts from outside go into plain_text and rich_text, which Slack does not parse; only the notification text is escaped mrkdwn.
Limits: https://docs.slack.dev/reference/block-kit/blocks, and about 13,200 characters in all blocks together, observed.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from shared.domain.announcements import Announcement, Picture
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected, Throttled, Unavailable
from shared.providers.http import Answer, OutboundHttp
from shared.providers.slack_files import NOT_YET_KNOWN, illustrated, upload
from shared.providers.wording import Message, Room, fit, is_safe_link, line, more, safe, tone, units

POST_MESSAGE = "https://slack.com/api/chat.postMessage"
TEXT_LIMIT = 12_000  # UTF-16 units of all strings in all blocks
TITLE, SUMMARY, OTHER_SUMMARY, LABEL, VALUE, NAME, REASON, LINK = 140, 1500, 300, 60, 200, 100, 200, 75  # UTF-16 units
FACTS, LINKS = 10, 3
NOTIFICATION = 1000  # of the text beside the blocks

_MARKS = {"attention": "\U0001f534", "good": "\U0001f7e2", "emphasis": "\U0001f535"}
# Errors of chat.postMessage that pass: https://docs.slack.dev/reference/methods/chat.postMessage#errors
_THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
# Of these Slack says that some of the call may have succeeded before: the message may be there.
_UNCERTAIN = frozenset({"internal_error", "fatal_error"})

_WAITS = (
    1.0,
    1.5,
    2.0,
    2.5,
)  # seconds before each attempt to show a picture: most are ready after the first; more than 1 a second is throttled


class SlackProvider:
    """Implements ports.Provider.

    With a bot `token` it posts to `channel` (`address` may name another API host); without one, `address` is an incoming webhook,
    a secret. Raises ValueError when it is neither.
    """

    def __init__(self, http: OutboundHttp, address: str, token: str = "", channel: str = "") -> None:
        if token and not channel:
            raise ValueError("a Slack token needs a channel")
        if not (token or address):
            raise ValueError("Slack needs a token and a channel, or a webhook address")
        self._http = http
        self._address = address or POST_MESSAGE
        self._token = token
        self._channel = channel

    async def post(self, parcel: Parcel) -> None:
        message = render(parcel.announcements)
        if not self._token:
            await self._http.post_json(self._address, message)
            return
        picture = parcel.announcements[0].picture
        if picture is None or not await self._is_illustrated(message, picture):
            await self._send(message)

    async def _is_illustrated(self, message: Message, picture: Picture) -> bool:
        """Sends the message with its picture, where Slack takes that. For a moment after an upload it does not know the file."""
        file_id = await upload(self._http, self._address.removesuffix("chat.postMessage"), self._token, picture)
        for wait in _WAITS if file_id else ():
            await asyncio.sleep(wait)
            try:
                await self._send(illustrated(message, file_id, picture))
            except Rejected as refused:
                if refused.code != NOT_YET_KNOWN:
                    raise
            else:
                return True
        return False

    async def _send(self, message: Message) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        await self._http.post_json(self._address, {"channel": self._channel, **message}, headers=headers, validate=self._validate)

    def _validate(self, answer: Answer) -> None:
        """chat.postMessage answers 200 to everything but throttling; `ok` tells."""
        try:
            told = msgspec.convert(msgspec.json.decode(answer.body), dict[str, Any])
        except (msgspec.MsgspecError, ValueError):
            raise Unavailable("Slack's answer is not JSON", code="NotJson", unanswered=True) from None
        if told.get("ok") is True:
            return
        code = _code(told.get("error"))
        if code in _THROTTLED:
            raise Throttled("Slack asks to slow down", code=code, retry_after=self._http.retry_after(answer))
        if code in _PASSING:
            wait = self._http.retry_after(answer)
            raise Unavailable("Slack failed", code=code, retry_after=wait, unanswered=code in _UNCERTAIN)
        raise Rejected("Slack refuses the message", code=code)


def render(announcements: Sequence[Announcement]) -> Message:
    """One message within Slack's limits: the first announcement is the heading, the others are sections."""
    return fit(announcements, _message, lambda message: _length(message["blocks"]) <= TEXT_LIMIT)


def _code(error: object) -> str:
    return error if isinstance(error, str) and re.fullmatch(r"[a-z0-9_]{1,64}", error) else "unknown"


def _message(announcements: Sequence[Announcement], room: Room) -> Message:
    first, others = announcements[0], announcements[1 : 1 + room.others]
    left_out = len(announcements) - 1 - len(others)
    blocks = [
        *_heading(first, room),
        *(_rich(_section(other, room)) for other in others),
        *([_rich([_plain_section(more(left_out))])] if left_out else []),
    ]
    return {"text": _notification(first), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}


def _notification(announcement: Announcement) -> str:
    """What notifications and screen readers use. Escaped for mrkdwn: https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    summary = line(announcement.summary, NOTIFICATION - TITLE)
    text = ": ".join(part for part in (_title(announcement), summary) if part)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _heading(announcement: Announcement, room: Room) -> list[Message]:
    header = f"{_MARKS[tone(announcement)]} {_title(announcement)}"
    blocks: list[Message] = [{"type": "header", "text": _plain(header)}]
    if summary := safe(announcement.summary, SUMMARY):
        blocks.append({"type": "section", "text": _plain(summary)})
    if announcement.facts:
        fields = [_plain(f"{line(label, LABEL)}\n{safe(value, VALUE)}") for label, value in announcement.facts[:FACTS]]
        blocks.append({"type": "section", "fields": fields})
    details = [*_clusters(announcement, room), *_links(announcement)]
    return [*blocks, *([_rich(details)] if details else [])]


def _section(announcement: Announcement, room: Room) -> list[Message]:
    title = _run(f"{_MARKS[tone(announcement)]} {_title(announcement)}", bold=True)
    summary = safe(announcement.summary, OTHER_SUMMARY)
    runs = [title, *([_run(f"\n{summary}")] if summary else [])]
    return [{"type": "rich_text_section", "elements": runs}, *_clusters(announcement, room), *_links(announcement)]


def _title(announcement: Announcement) -> str:
    return line(announcement.title, TITLE) or line(announcement.kind, TITLE) or "Sluice"


def _clusters(announcement: Announcement, room: Room) -> list[Message]:
    shown = announcement.clusters[: room.clusters]
    left_out = len(announcement.clusters) - len(shown) + announcement.more_clusters
    items = [_cluster(line(cluster.name, NAME), line(cluster.reason, REASON)) for cluster in shown]
    note = more(left_out) if shown else f"{left_out:,} clusters"
    return [
        *([{"type": "rich_text_list", "style": "bullet", "elements": items}] if items else []),
        *([_plain_section(note)] if left_out else []),
    ]


def _cluster(name: str, reason: str) -> Message:
    runs = [_run(name or "?", bold=True), *([_run(f" {reason}")] if reason else [])]
    return {"type": "rich_text_section", "elements": runs}


def _links(announcement: Announcement) -> list[Message]:
    links = [(text, url) for text, url in announcement.links if is_safe_link(url)][:LINKS]
    return [
        {"type": "rich_text_section", "elements": [{"type": "link", "url": url, "text": line(text, LINK) or "Open"}]} for text, url in links
    ]


def _rich(elements: list[Message]) -> Message:
    return {"type": "rich_text", "elements": elements}


def _plain_section(text: str) -> Message:
    return {"type": "rich_text_section", "elements": [_run(text)]}


def _run(text: str, *, bold: bool = False) -> Message:
    return {"type": "text", "text": text, **({"style": {"bold": True}} if bold else {})}


def _plain(text: str) -> Message:
    return {"type": "plain_text", "text": text, "emoji": False}


def _length(node: object) -> int:
    if isinstance(node, str):
        return units(node)
    if isinstance(node, dict):
        return sum(map(_length, node.values()))
    return sum(map(_length, node)) if isinstance(node, list) else 0
