"""What people would have read in Teams and Slack, as the Azure simulator received it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_CHATS = ("teams", "slack")
_EDIT = "chat.update"


def titles(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a message in a chat, oldest first, and at the end how often messages were edited."""
    said = [message for message in messages if message["channel"] in _CHATS]
    posted = [f"{message['channel']}{_place(message)}: {_title(message.get('body', {}))}" for message in said if not _is_edit(message)]
    edits = sum(map(_is_edit, said))
    return [*posted, *([f"slack: edited {edits} times"] if edits else [])]


def _is_edit(message: Mapping[str, Any]) -> bool:
    return message.get("method") == _EDIT


def _place(message: Mapping[str, Any]) -> str:
    return ", in the thread" if message.get("body", {}).get("thread_ts") else ""


def _title(body: Mapping[str, Any]) -> str:
    """A card's largest text, and Slack's text beside the blocks."""
    for attachment in body.get("attachments", []):
        return next(_large(attachment["content"]), "")
    return str(body.get("text", ""))


def _large(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "TextRun" and node.get("size") == "Large":
            yield node["text"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _large(each)
