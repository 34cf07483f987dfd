"""The messages of a Slack workspace: posted, edited, deleted, answered in threads."""

import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import Any

from local.azure.slack_blocks import SlackRefusalError

_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{8,}")


@dataclass
class Message:
    channel: str
    ts: str
    body: dict[str, Any]

    @property
    def thread(self) -> str:
        return str(self.body.get("thread_ts") or "")


@dataclass
class Messages:
    by_place: dict[tuple[str, str], Message] = field(default_factory=dict)
    last_number: int = 0

    def post(self, channel: str, body: dict[str, Any]) -> Message:
        """A message; in a thread only below one that is there, and that is in no thread itself."""
        if (thread := str(body.get("thread_ts") or "")) and (channel, thread) not in self.by_place:
            raise SlackRefusalError("thread_not_found")
        if thread and self.by_place[channel, thread].thread:
            raise SlackRefusalError("cannot_reply_to_message")
        message = Message(channel, self._next_timestamp(), body)
        self.by_place[channel, message.ts] = message
        return message

    def find(self, channel: str, ts: str) -> Message:
        """Other than in chat.postMessage, a channel must be given by its id."""
        if not _CHANNEL_ID.fullmatch(channel):
            raise SlackRefusalError("channel_not_found")
        if (channel, ts) not in self.by_place:
            raise SlackRefusalError("message_not_found")
        return self.by_place[channel, ts]

    def delete(self, channel: str, ts: str) -> None:
        self.find(channel, ts)
        del self.by_place[channel, ts]

    def history(self, channel: str, oldest: float, limit: int, *, with_metadata: bool) -> list[dict[str, Any]]:
        """What stands in the channel itself, newest first."""
        if not _CHANNEL_ID.fullmatch(channel):
            raise SlackRefusalError("channel_not_found")
        seen = [m for m in self.by_place.values() if m.channel == channel and float(m.ts) > oldest]
        shown = [m for m in seen if not m.thread or m.body.get("reply_broadcast")]
        shown.sort(key=lambda message: message.ts, reverse=True)
        hidden = {"channel", *(() if with_metadata else ("metadata",))}
        return [
            {"type": "message", "ts": m.ts} | {name: value for name, value in m.body.items() if name not in hidden} for m in shown[:limit]
        ]

    def _next_timestamp(self) -> str:
        self.last_number = max(self.last_number + 1, int(time.time() * 1_000_000))
        return f"{self.last_number // 1_000_000}.{self.last_number % 1_000_000:06}"


def channel_id(name: str) -> str:
    """Slack's own id of a channel that is given by name or id."""
    if not name:
        raise SlackRefusalError("channel_not_found")
    if _CHANNEL_ID.fullmatch(name):
        return name
    return f"C{hashlib.sha256(name.removeprefix('#').encode()).hexdigest()[:10].upper()}"
