"""What people would have read in Teams and Slack, as the Azure simulator received it."""

from collections.abc import Mapping, Sequence
from typing import Any

_EDIT = "chat.update"


def titles(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a message, oldest first, and at the end how often messages were edited."""
    posted = [f"{message['channel']}{_place(message)}: {_title(message.get('body', {}))}" for message in messages if not _is_edit(message)]
    edits = sum(map(_is_edit, messages))
    return [*posted, *([f"slack: edited {edits} times"] if edits else [])]


def _is_edit(message: Mapping[str, Any]) -> bool:
    return message.get("method") == _EDIT


def _place(message: Mapping[str, Any]) -> str:
    return ", in the thread" if message.get("body", {}).get("thread_ts") else ""


def _title(body: Mapping[str, Any]) -> str:
    """Teams shows a card's fallback text, and Slack a message's text, wherever there is room for one line only."""
    for attachment in body.get("attachments", []):
        return str(attachment["content"].get("fallbackText", ""))
    return str(body.get("text", ""))
