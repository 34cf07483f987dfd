"""An announcement for programs: an event in the JSON format of CloudEvents 1.0, the same in every channel.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md and .../formats/json-format.md. Their kinds and fields are in
event_catalogue.py; docs/events.schema.json is made of it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from shared.domain.announcements import Announcement, ClusterLine, Field
from shared.domain.record import digest

Event = dict[str, Any]

#: Standard Webhooks advises payloads "usually smaller than 20kb".
EVENT_LIMIT = 20_000  #: bytes of JSON in UTF-8
#: Azure's own types begin with "Microsoft.": none of ours can be taken for one of those.
TYPE_PREFIX = "sluice."
MORE_CLUSTERS_LIMIT = 2**53  #: what every reader of JSON can count to
_KIND, _LABEL, _NAME, _SUBJECT, _THREAD = 100, 40, 32, 400, 300  # characters
_FACTS, _LINKS, _LINK_TEXT, _URL, _FIELDS, _TAG = 12, 5, 60, 600, 24, 128
#: Where something stands: the field that names it, and how its kind is called in a subject.
_PLACES = (
    ("rollout", "rollouts"),
    ("stage", "stages"),
    ("gate", "gates"),
    ("baseline", "baselines"),
    ("cluster", "clusters"),
    ("fluxConfiguration", "configurations"),
)
_BROKEN_ESCAPE = re.compile(r"%[0-9A-F]?$")
_HTTP_URL = re.compile(rf"https?://[!#-\[\]-~]{{1,{_URL - 8}}}")  # printable, and nothing that JSON escapes
_ARM_ID = re.compile(r"/[A-Za-z0-9._()/-]{1,500}")
# Controls but tabs and line feeds, and halves of characters, which are no Unicode.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class _Room(NamedTuple):
    """How much of what can be long an event holds."""

    clusters: int
    characters: int  #: of each text
    tags: int = 50
    field: int = 400  #: characters of the value of a field: an ARM id is not cut


_ROOMS = (_Room(100, 2000), _Room(50, 500), _Room(25, 300), _Room(25, 100), _Room(25, 60), _Room(10, 120, 10), _Room(0, 120, 5))
_LEAST = _Room(0, 30, 5, 40)


def event_id(announcement: Announcement) -> str:
    """The same for every attempt and in every channel. Without a full stop: Standard Webhooks signs ids that are divided by them."""
    return f"evt_{digest('event', announcement.id)}"


def cloud_event(announcement: Announcement, source: str) -> Event:
    """The fullest event that fits. Every text stays the text that it is, cut to a length; nothing in it is markup to anybody.

    `source` is this app's own address.
    """
    for room in _ROOMS:
        event = _event(announcement, source, room)
        if len(msgspec.json.encode(event)) <= EVENT_LIMIT:
            return event
    return _event(announcement, source, _LEAST)  # which always fits


def subject_of(announcement: Announcement) -> str:
    """Where it happened, as a path: rollouts/ID/stages/NAME. "" where it is about no single thing."""
    fields = announcement.fields
    path = [f"{places}/{_segment(str(fields[name]))}" for name, places in _PLACES if fields.get(name)]
    if not path and fields.get("route"):
        path = [f"routes/{_segment(str(fields['route']))}"]
    return _BROKEN_ESCAPE.sub("", "/".join(path)[:_SUBJECT])


def _segment(text: str) -> str:
    return quote(clean(text, _NAME * 2), safe="")


def _event(announcement: Announcement, source: str, room: _Room) -> Event:
    event: Event = {
        "specversion": "1.0",
        "id": event_id(announcement),
        "source": source,
        "type": f"{TYPE_PREFIX}{clean(announcement.kind, _KIND)}",
    }
    if subject := subject_of(announcement):
        event["subject"] = subject
    if announcement.at is not None:
        event["time"] = timestamp(announcement.at)
    return event | {"datacontenttype": "application/json", "data": _data(announcement, room)}


def _data(announcement: Announcement, room: _Room) -> Event:
    shown = announcement.clusters[: room.clusters]
    left_out = len(announcement.clusters) - len(shown) + announcement.more_clusters
    length = room.characters
    return {
        "severity": announcement.severity,
        "title": clean(announcement.title, length),
        "summary": clean(announcement.summary, length),
        "nextStep": clean(announcement.next_step, length),
        "thread": clean(announcement.subject, _THREAD),
        "facts": [{"label": clean(label, _LABEL), "value": clean(value, length)} for label, value in announcement.facts[:_FACTS]],
        "clusters": [_cluster(one, length) for one in shown],
        "moreClusters": min(left_out, MORE_CLUSTERS_LIMIT),
        "links": _links(announcement.links),
        "fields": {clean(name, _NAME): _value(value, room) for name, value in list(announcement.fields.items())[:_FIELDS]},
    }


def _cluster(line: ClusterLine, length: int) -> Event:
    """A cut ARM id would name nothing, or something else: one that is too long is left out."""
    named = {"name": clean(line.name, length), "reason": clean(line.reason, length)}
    return {**named, "id": line.id} if line.id and _ARM_ID.fullmatch(line.id) else named


def _links(links: Sequence[tuple[str, str]]) -> list[Event]:
    """A cut address would lead elsewhere: one that is too long is left out."""
    usable = [(text, url) for text, url in links if _HTTP_URL.fullmatch(url)]
    return [{"text": clean(text, _LINK_TEXT), "url": url} for text, url in usable[:_LINKS]]


def _value(value: Field, room: _Room) -> Field:
    if isinstance(value, dict):
        return {clean(name, min(_TAG, room.field)): clean(text, room.field) for name, text in list(value.items())[: room.tags]}
    return value if isinstance(value, int) else clean(value, room.field)


def clean(text: str, length: int) -> str:
    """`text` as Unicode without control characters, of at most so many characters."""
    cut = _NO_TEXT.sub(" ", text[: length + 1])
    return cut if len(cut) <= length else f"{cut[: length - 1]}\u2026"


def timestamp(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
