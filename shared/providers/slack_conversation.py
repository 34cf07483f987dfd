"""One Slack message a rollout, edited as it moves, and its thread.

https://docs.slack.dev/reference/methods/chat.update and https://docs.slack.dev/messaging/message-metadata
"""

from datetime import datetime, timedelta
from typing import Any

from shared.domain.conversations import Place
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected, Unavailable
from shared.domain.overviews import Overview
from shared.log import event_logger
from shared.providers.http import OutboundHttp
from shared.providers.slack import SlackProvider, render
from shared.providers.slack_api import SlackApi
from shared.providers.slack_overview import render_overview

log = event_logger("sluice.slack")

_EVENT_TYPE = "sluice_rollout"
_MOST_READ = "100"
#: Slack's clock and ours may differ.
_CLOCKS_DIFFER = timedelta(seconds=60)


class SlackConversation(SlackProvider):
    """Implements ports.Converser. `asks`: whether Slack sends us what people click on (the provider has a signing secret)."""

    def __init__(self, http: OutboundHttp, address: str, token: str, channel: str, *, asks: bool) -> None:
        super().__init__(http, address, token, channel)
        self._calls = SlackApi(http, address, token)
        self._asks = asks

    async def open(self, overview: Overview, *, key: str, opens_with: str) -> Place:
        message = render_overview(overview, asks=self._asks, opens_with=opens_with)
        metadata = {"event_type": _EVENT_TYPE, "event_payload": {"conversation": key}}
        told = await self._calls.call("chat.postMessage", {"channel": self._channel, **message, "metadata": metadata})
        place = _place(told.get("channel"), told.get("ts"))
        if place is None:
            raise Unavailable("Slack did not say where the message is", code="NoTimestamp")
        return place

    async def edit(self, head: Place, overview: Overview) -> None:
        """Unlike a post, an edit would by itself look for links in the text. One with blocks is not marked as edited."""
        message = render_overview(overview, asks=self._asks)
        shown = {"text": message["text"], "blocks": message["blocks"], "parse": "none"}
        await self._calls.call("chat.update", {"channel": head.channel, "ts": head.ts, **shown})

    async def reply(self, head: Place, parcel: Parcel, *, broadcast: bool) -> None:
        thread = {"channel": head.channel, "thread_ts": head.ts, **({"reply_broadcast": True} if broadcast else {})}
        await self._calls.call("chat.postMessage", {**thread, **render(parcel.announcements)})

    async def find(self, key: str, since: datetime) -> Place | None:
        """Reading needs a scope of its own, and the channel's id in place of its name: without them nothing is found."""
        oldest = f"{(since - _CLOCKS_DIFFER).timestamp():.6f}"
        try:
            told = await self._calls.read(
                "conversations.history", channel=self._channel, oldest=oldest, limit=_MOST_READ, include_all_metadata="true"
            )
        except Rejected as error:
            log.info("slack.history-unread", extra={"code": error.code})
            return None
        messages = told.get("messages")
        known = (one for one in (messages if isinstance(messages, list) else []) if _key(one) == key)
        return next((place for one in known if (place := _place(self._channel, one.get("ts")))), None)


def _place(channel: object, ts: object) -> Place | None:
    if isinstance(channel, str) and isinstance(ts, str) and channel and ts:
        return Place(channel=channel, ts=ts)
    return None


def _key(message: Any) -> object:
    """The key that `open` gave the message; None where it gave none."""
    node = message
    for name in ("metadata", "event_payload", "conversation"):
        node = node.get(name) if isinstance(node, dict) else None
    return node
