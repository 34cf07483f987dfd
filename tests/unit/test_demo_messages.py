"""What `make run` shows of the messages that the simulated Azure received."""

from typing import Any

from local.demo.messages import titles

CARD = {"attachments": [{"content": {"body": [{"type": "TextRun", "text": "Rollout started", "size": "Large"}]}}]}


def test_chats_are_shown_and_edits_counted() -> None:
    received: list[dict[str, Any]] = [
        {"channel": "teams", "body": CARD},
        {"channel": "slack", "method": "chat.postMessage", "body": {"text": "Rollout started"}},
        {"channel": "logs", "body": [{"Stream": "s"}]},
        {"channel": "slack", "method": "chat.update", "body": {"text": "1 of 2"}},
        {"channel": "slack", "method": "chat.postMessage", "body": {"text": "Stage done", "thread_ts": "1.0"}},
    ]
    assert titles(received) == [
        "teams: Rollout started",
        "slack: Rollout started",
        "slack, in the thread: Stage done",
        "slack: edited 1 times",
    ]
