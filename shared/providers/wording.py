"""What every chat has in common: texts made safe and short, links that may be shown."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from shared.domain.announcements import Announcement

ELLIPSIS = "\u2026"
URL_LIMIT = 600  # characters; a longer address is not worth the room it takes

# What opens a mention, a channel or a link in Slack (<!channel>, <@U1>, <#C1>, <https://..|text>) and Teams (<at>name</at>).
_MARKUP = re.compile(r"<(?=[!@#]|/?at\b|[a-z][a-z0-9+.-]*:)", re.IGNORECASE)
# Controls but line breaks, line and paragraph separators, lone surrogates, private use, noncharacters; and what can make a text read as
# another: direction marks, and what has no width but the joiners, which scripts and emoji need.
_UNPRINTABLE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ue000-\uf8ff\ufeff\ufff9-\ufffb\ufffe\uffff"
    r"\U000e0000-\U000e007f\U000f0000-\U0010ffff]"
)
# Accents pile up: more than a script needs hide the lines around them.
_ACCENT = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILE = re.compile(rf"({_ACCENT}{{4}}){_ACCENT}+")
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]+")


Tone = Literal["attention", "good", "emphasis"]
Message = dict[str, Any]
_GOOD_ENDINGS = frozenset({"complete", "completed", "succeeded", "compliant", "resolved", "recovered"})


class Room(NamedTuple):
    """How much of what can be long a message shows."""

    clusters: int  #: lines an announcement
    others: int  #: announcements beside the first


_ROOMS = (Room(20, 12), Room(10, 12), Room(5, 12), Room(0, 12), Room(0, 4), Room(0, 0))


def fit(
    announcements: Sequence[Announcement], build: Callable[[Sequence[Announcement], Room], Message], fits: Callable[[Message], bool]
) -> Message:
    """The fullest message that fits. The smallest always does: every other text in it is cut to a limit."""
    message: Message = {}
    for room in _ROOMS:
        message = build(announcements, room)
        if fits(message):
            break
    return message


def tone(announcement: Announcement) -> Tone:
    if announcement.severity == "error":
        return "attention"
    return "good" if announcement.kind.rpartition(".")[2] in _GOOD_ENDINGS else "emphasis"


def safe(text: str, limit: int) -> str:
    """`text` without control characters and chat markup, at most `limit` UTF-16 units long (what chats count)."""
    beginning = text.strip()[: 2 * limit]  # an event's message may have 39,000 characters
    printable = _PILE.sub(r"\1", _UNPRINTABLE.sub(" ", beginning))
    return shorten(_MARKUP.sub("\u2039", printable).strip(), limit)


def line(text: str, limit: int) -> str:
    """As `safe`, on one line."""
    return safe(" ".join(text.split()), limit)


def paragraph(text: str, limit: int, most: int = 8) -> str:
    """As `safe`, on at most so many lines."""
    lines = [each for each in safe(text, limit - 1).split("\n") if each.strip()]
    return "\n".join(lines[:most]) + (ELLIPSIS if len(lines) > most else "")


def shorten(text: str, limit: int) -> str:
    """Cuts at the end of a word where there is one in the last quarter, and shows that it did."""
    if units(text) <= limit:
        return text
    cut = text.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore")
    at_word = re.sub(r"\s+\S*$", "", cut)
    return (at_word if len(at_word) >= len(cut) * 3 // 4 else cut).rstrip() + ELLIPSIS


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def is_safe_link(url: str) -> bool:
    """Whether to show it: https anywhere, or http on this machine (the local stack); no user part, nothing that browsers rewrite."""
    if len(url) > URL_LIMIT or not _URL_CHARACTERS.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host == "127.0.0.1")


def more(count: int) -> str:
    return f"and {count:,} more"
