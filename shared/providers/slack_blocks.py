"""Pieces of Block Kit. Texts from outside go into plain_text and rich_text, which Slack does not parse for mentions, links or formats.

https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/messaging/formatting-message-text#escaping
"""

from shared.providers.wording import Message, is_safe_link, line, units

BUTTON = 75  # characters of a button's text
NOTIFICATION = 1000  # of the text beside the blocks
_LINKS, _LINK = 4, 75


def header(text: str) -> Message:
    return {"type": "header", "text": plain(text)}


def plain(text: str) -> Message:
    return {"type": "plain_text", "text": text, "emoji": False}


def rich(elements: list[Message]) -> Message:
    return {"type": "rich_text", "elements": elements}


def paragraph(*runs: Message) -> Message:
    return {"type": "rich_text_section", "elements": list(runs)}


def run(text: str, *, bold: bool = False) -> Message:
    return {"type": "text", "text": text, **({"style": {"bold": True}} if bold else {})}


def bullets(items: list[Message]) -> Message:
    return {"type": "rich_text_list", "style": "bullet", "elements": items}


def preformatted(text: str) -> Message:
    return {"type": "rich_text_preformatted", "elements": [run(text)]}


def context(*texts: str) -> Message:
    return {"type": "context", "elements": [plain(text) for text in texts]}


def links(given: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> list[Message]:
    """One line for each that may be shown."""
    shown = [(text, url) for text, url in given if is_safe_link(url)][:_LINKS]
    return [paragraph({"type": "link", "url": url, "text": line(text, _LINK) or "Open"}) for text, url in shown]


def notification(text: str, blocks: list[Message]) -> Message:
    """The message. `text` is what notifications and screen readers use, escaped for mrkdwn; nothing is unfurled."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": escaped, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}


def length(node: object) -> int:
    """UTF-16 units of all strings."""
    if isinstance(node, str):
        return units(node)
    if isinstance(node, dict):
        return sum(map(length, node.values()))
    return sum(map(length, node)) if isinstance(node, list) else 0
