"""What people can read of a message in Teams or Slack."""

from collections.abc import Iterator, Sequence
from typing import Any

from local.demo.messages import titles


def announced(bodies: Sequence[dict[str, Any]]) -> list[str]:
    """The headings, oldest first; Slack's go on with a summary, which is cut off."""
    headings = (title.partition(": ")[2] for title in titles([{"channel": "teams", "body": body} for body in bodies]))
    return [": ".join(heading.split(": ")[:2]) for heading in headings]


def text_of(body: dict[str, Any]) -> str:
    """Every text in a message, one a line."""
    return "\n".join(_texts(body))


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
