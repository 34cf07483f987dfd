"""Slack: Block Kit by chat.postMessage (bot token and channel) or by an incoming webhook.

Limits: https://docs.slack.dev/reference/block-kit/blocks, and about 13,200 characters in all blocks together, observed.
"""

import asyncio
from collections.abc import Sequence

from shared.domain.announcements import Announcement, Picture
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected
from shared.providers.http import OutboundHttp
from shared.providers.slack_api import SlackApi
from shared.providers.slack_blocks import (
    NOTIFICATION,
    bullets,
    header,
    length,
    links,
    notification,
    paragraph,
    plain,
    rich,
    run,
)
from shared.providers.slack_files import NOT_YET_KNOWN, illustrated, upload
from shared.providers.wording import Message, Room, fit, line, more, safe, tone

TEXT_LIMIT = 12_000  # UTF-16 units of all strings in all blocks
TITLE, SUMMARY, OTHER_SUMMARY, LABEL, VALUE, NAME, REASON, NEXT = 140, 1500, 300, 60, 200, 100, 200, 300  # UTF-16 units
FACTS = 10

MARKS = {"attention": "\U0001f534", "good": "\U0001f7e2", "emphasis": "\U0001f535"}

#: Seconds before each attempt to show a picture: most are ready after the first; more than one a second is throttled.
_WAITS = (1.0, 1.5, 2.0, 2.5)


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
        self._address = address
        self._channel = channel
        self._api = SlackApi(http, address, token) if token else None

    async def post(self, parcel: Parcel) -> None:
        message = render(parcel.announcements)
        if self._api is None:
            await self._http.post_json(self._address, message)
            return
        picture = parcel.announcements[0].picture
        if picture is None or not await self._is_illustrated(self._api, message, picture):
            await self._send(self._api, message)

    async def _is_illustrated(self, api: SlackApi, message: Message, picture: Picture) -> bool:
        """Sends the message with its picture, where Slack takes that. For a moment after an upload it does not know the file."""
        file_id = await upload(self._http, api, picture)
        for wait in _WAITS if file_id else ():
            await asyncio.sleep(wait)
            try:
                await self._send(api, illustrated(message, file_id, picture))
            except Rejected as refused:
                if refused.code != NOT_YET_KNOWN:
                    raise
            else:
                return True
        return False

    async def _send(self, api: SlackApi, message: Message) -> None:
        await api.call("chat.postMessage", {"channel": self._channel, **message})


def render(announcements: Sequence[Announcement]) -> Message:
    """One message within Slack's limits: the first announcement is the heading, the others are sections."""
    return fit(announcements, _message, lambda message: length(message["blocks"]) <= TEXT_LIMIT)


def _message(announcements: Sequence[Announcement], room: Room) -> Message:
    first, others = announcements[0], announcements[1 : 1 + room.others]
    left_out = len(announcements) - 1 - len(others)
    blocks = [
        *_heading(first, room),
        *(rich(_section(other, room)) for other in others),
        *([rich([paragraph(run(more(left_out)))])] if left_out else []),
    ]
    summary = line(first.summary, NOTIFICATION - TITLE)
    return notification(": ".join(part for part in (_title(first), summary) if part), blocks)


def _heading(announcement: Announcement, room: Room) -> list[Message]:
    blocks: list[Message] = [header(f"{MARKS[tone(announcement)]} {_title(announcement)}")]
    if summary := safe(announcement.summary, SUMMARY):
        blocks.append({"type": "section", "text": plain(summary)})
    if announcement.facts:
        fields = [plain(f"{line(label, LABEL)}\n{safe(value, VALUE)}") for label, value in announcement.facts[:FACTS]]
        blocks.append({"type": "section", "fields": fields})
    details = [*_clusters(announcement, room), *_next(announcement), *links(announcement.links)]
    return [*blocks, *([rich(details)] if details else [])]


def _section(announcement: Announcement, room: Room) -> list[Message]:
    title = run(f"{MARKS[tone(announcement)]} {_title(announcement)}", bold=True)
    summary = safe(announcement.summary, OTHER_SUMMARY)
    runs = [title, *([run(f"\n{summary}")] if summary else [])]
    return [paragraph(*runs), *_clusters(announcement, room), *_next(announcement), *links(announcement.links)]


def _title(announcement: Announcement) -> str:
    return line(announcement.title, TITLE) or line(announcement.kind, TITLE) or "Sluice"


def _clusters(announcement: Announcement, room: Room) -> list[Message]:
    shown = announcement.clusters[: room.clusters]
    left_out = len(announcement.clusters) - len(shown) + announcement.more_clusters
    items = [_cluster(line(cluster.name, NAME), line(cluster.reason, REASON)) for cluster in shown]
    note = more(left_out) if shown else f"{left_out:,} clusters"
    return [*([bullets(items)] if items else []), *([paragraph(run(note))] if left_out else [])]


def _cluster(name: str, reason: str) -> Message:
    return paragraph(run(name or "?", bold=True), *([run(f" {reason}")] if reason else []))


def _next(announcement: Announcement) -> list[Message]:
    step = line(announcement.next_step, NEXT)
    return [paragraph(run("Next: ", bold=True), run(step))] if step else []
