"""How each kind of channel reads what it is sent, by its documentation: what would make a text more than a text.

A channel without rules of its own is sent JSON for programs: there a text is a text, as long as it changes nothing around itself.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from hostile import MARK, OWN, objects, strings

Rule = Callable[[Any], None]

# https://docs.slack.dev/messaging/formatting-message-text#escaping: &, < and > are the only characters to escape, and then nothing of
# a text is a mention, a date or a link.
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_SLACK_TYPES = {
    *("header", "section", "context", "divider", "actions", "button", "image", "plain_text", "mrkdwn"),
    *("rich_text", "rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote", "text", "link"),
}
# https://docs.slack.dev/reference/block-kit/blocks/rich-text-block: elements that notify someone
_SLACK_MENTIONS = {"user", "usergroup", "broadcast", "channel", "team", "date"}
_TEAMS_TYPES = {
    *("message", "AdaptiveCard", "Container", "RichTextBlock", "TextRun", "TextBlock", "Image"),
    *("Table", "TableRow", "TableCell", "ActionSet", "Action.OpenUrl"),
}
_MOMENT = re.compile(r"(Since|At) \{\{DATE\([0-9TZ:-]+, SHORT\)\}\} \{\{TIME\([0-9TZ:-]+\)\}\} \([0-9]{2} [A-Z][a-z]{2} [0-9:]{5} UTC\)")
_BROKEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ADDRESS_KEYS = {"url", "href", "src", "client_url", "image_url", "link"}


def as_slack(body: Any) -> None:
    _is_clean(body)
    assert body.get("parse", "none") == "none"
    assert not body.get("link_names")
    _is_escaped(body["text"])
    for each in objects(body["blocks"]):
        assert each.get("type", "text") in _SLACK_TYPES - _SLACK_MENTIONS
        if each.get("type") == "mrkdwn":
            _is_escaped(re.sub(rf"<{re.escape(OWN)}[^|>]*(?:\|[^<>]*)?>", "", each["text"]))
        if each.get("type") == "plain_text":
            assert each.get("emoji") is False
    _links_only_home(body)


def as_teams(body: Any) -> None:
    """The rest is looked at in Microsoft's renderer: test_hostile_cards.py."""
    _is_clean(body)
    assert not any("entities" in each for each in objects(body))
    for each in objects(body):
        assert each.get("type", "message") in _TEAMS_TYPES
        assert each.get("type") != "TextBlock" or _MOMENT.fullmatch(each["text"])
    _links_only_home(body)


def as_json(body: Any) -> None:
    """Nothing that runs when it is followed."""
    for key, address in _addresses(body):
        assert re.match(r"https?://", address), (key, address[:80])


RULES: dict[str, Rule] = {"slack": as_slack, "msteams": as_teams}


def rule_of(kind: str) -> Rule:
    return RULES.get(kind, as_json)


def is_for_programs(kind: str) -> bool:
    return kind not in RULES


def shape(node: Any) -> Any:
    """What a message is but for its texts and numbers. A fact's label may be the name of its value."""
    if isinstance(node, dict):
        return {MARK if key.startswith(MARK) else key: shape(value) for key, value in node.items()}
    return [shape(each) for each in node] if isinstance(node, list) else type(node).__name__


def _is_clean(body: Any) -> None:
    assert [text for text in strings(body) if _BROKEN.search(text)] == []


def _is_escaped(text: str) -> None:
    assert not re.search(r"[<>]", text)
    assert "&" not in _ENTITY.sub("", text)


def _links_only_home(body: Any) -> None:
    """Whatever people press."""
    for key, address in _addresses(body):
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == OWN, (key, address[:80])


def _addresses(body: Any) -> list[tuple[str, str]]:
    return [(key, each[key]) for each in objects(body) for key in _ADDRESS_KEYS & each.keys() if isinstance(each[key], str)]
