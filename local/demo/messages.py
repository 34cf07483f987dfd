"""What people would have read in Teams and Slack, as the Azure simulator received it."""

from collections.abc import Mapping, Sequence
from typing import Any


def titles(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a message, oldest first."""
    return [f"{message['channel']}: {_title(message.get('body', {}))}" for message in messages]


def _title(body: Mapping[str, Any]) -> str:
    """Teams shows a card's fallback text, and Slack a message's text, wherever there is room for one line only."""
    for attachment in body.get("attachments", []):
        return str(attachment["content"].get("fallbackText", ""))
    return str(body.get("text", ""))
