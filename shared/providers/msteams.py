"""Microsoft Teams: an Adaptive Card 1.5 posted to a Workflows webhook.

Texts from outside go into RichTextBlock and TextRun, which Teams shows as they are: TextBlock and FactSet read Markdown, and their
backslash escapes show on some devices (https://github.com/microsoft/AdaptiveCards/issues/5590). Facts are therefore a table too.
"""

from base64 import b64encode
from collections.abc import Sequence

import msgspec

from shared.domain.announcements import Announcement
from shared.domain.deliveries import Parcel
from shared.providers.http import OutboundHttp
from shared.providers.wording import Message, Room, fit, is_safe_link, line, more, safe, tone

MESSAGE_LIMIT = 20_000  # bytes of JSON; Teams says 28 KB, failures were measured from about 21 KB
TITLE, SUMMARY, OTHER_SUMMARY, LABEL, VALUE, NAME, REASON, LINK = 200, 800, 300, 40, 200, 100, 200, 60  # UTF-16 units
FACTS, LINKS = 8, 3


class TeamsProvider:
    """Implements ports.Provider. `address` is the workflow's URL, a secret. `token` and `channel` have no meaning here.

    A 202 says that the workflow has taken the message, not that Teams has shown it.
    """

    def __init__(self, http: OutboundHttp, address: str, token: str = "", channel: str = "") -> None:
        self._http = http
        self._address = address

    async def post(self, parcel: Parcel) -> None:
        await self._http.post_json(self._address, render(parcel.announcements))


def render(announcements: Sequence[Announcement]) -> Message:
    """One message of at most 20 KB: the first announcement is the heading, the others are sections."""
    return fit(announcements, _message, lambda message: len(msgspec.json.encode(message)) <= MESSAGE_LIMIT)


def _message(announcements: Sequence[Announcement], room: Room) -> Message:
    first, others = announcements[0], announcements[1 : 1 + room.others]
    left_out = len(announcements) - 1 - len(others)
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": _title(first),
        "msteams": {"width": "Full"},
        "body": [
            *_heading(first, room),
            *(_section(other, room) for other in others),
            *([_text(more(left_out), isSubtle=True)] if left_out else []),
        ],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}],
    }


def _heading(announcement: Announcement, room: Room) -> list[Message]:
    texts = [_text(_title(announcement), size="Large", weight="Bolder"), *_summary(announcement, SUMMARY)]
    facts = [(line(label, LABEL), safe(value, VALUE)) for label, value in announcement.facts[:FACTS]]
    return [
        {"type": "Container", "style": tone(announcement), "bleed": True, "items": texts},
        *_table(facts),
        *(_picture(announcement) if room.clusters else []),
        *_clusters(announcement, room),
        *_links(announcement),
    ]


def _picture(announcement: Announcement) -> list[Message]:
    """Within the card, since nothing that Teams could fetch it from is open to everyone: Image takes a data URI since version 1.2
    (microsoft/AdaptiveCards issue 628), and Teams shows it in cards that the flow bot posts (MicrosoftDocs/msteams-docs issue 9161).
    Where it does not, as in cards posted as a user, the facts say the same.
    """
    picture = announcement.picture
    if picture is None:
        return []
    address = f"data:image/png;base64,{b64encode(picture.png).decode()}"
    return [{"type": "Image", "url": address, "altText": line(picture.text, VALUE), "size": "Stretch"}]


def _section(announcement: Announcement, room: Room) -> Message:
    texts = [_text(_title(announcement), weight="Bolder"), *_summary(announcement, OTHER_SUMMARY)]
    items = [*texts, *_clusters(announcement, room), *_links(announcement)]
    return {"type": "Container", "style": tone(announcement), "spacing": "Medium", "items": items}


def _title(announcement: Announcement) -> str:
    return line(announcement.title, TITLE) or line(announcement.kind, TITLE)


def _summary(announcement: Announcement, limit: int) -> list[Message]:
    summary = safe(announcement.summary, limit)
    return [_text(summary)] if summary else []


def _clusters(announcement: Announcement, room: Room) -> list[Message]:
    shown = announcement.clusters[: room.clusters]
    left_out = len(announcement.clusters) - len(shown) + announcement.more_clusters
    rows = [(line(cluster.name, NAME), line(cluster.reason, REASON)) for cluster in shown]
    note = more(left_out) if shown else f"{left_out:,} clusters"
    return [*_table(rows), *([_text(note, isSubtle=True)] if left_out else [])]


def _table(rows: Sequence[tuple[str, str]]) -> list[Message]:
    if not rows:
        return []
    return [
        {
            "type": "Table",
            "columns": [{"width": 1}, {"width": 2}],
            "firstRowAsHeader": False,
            "showGridLines": False,
            "rows": [{"type": "TableRow", "cells": [_cell(left, weight="Bolder"), _cell(right)]} for left, right in rows],
        }
    ]


def _cell(text: str, **style: object) -> Message:
    return {"type": "TableCell", "items": [_text(text, **style)]}


def _text(text: str, **style: object) -> Message:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _links(announcement: Announcement) -> list[Message]:
    links = [(text, url) for text, url in announcement.links if is_safe_link(url)][:LINKS]
    if not links:
        return []
    actions = [{"type": "Action.OpenUrl", "title": line(text, LINK) or "Open", "url": url} for text, url in links]
    return [{"type": "ActionSet", "actions": actions}]
