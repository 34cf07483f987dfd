"""What people would have read in Teams and Slack, as the Azure simulator received it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def titles(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a message, oldest first."""
    return [f"{message['channel']}: {_title(message.get('body', {}))}" for message in messages]


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
