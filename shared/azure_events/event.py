"""An event of Azure as Event Grid delivers it, and what a family of event types is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.azure_events.news import News
from shared.domain.errors import Refused
from shared.domain.record import Record

_MAX_ID = 256  #: characters
_MAX_NAME = 2048  #: characters of a topic or a subject: longer than any ARM id


class AzureEvent(Record, frozen=True):
    """One event, whichever schema it came in."""

    id: str
    type: str
    topic: str  #: ARM id of what it comes from; CloudEvents' `source`
    subject: str
    at: datetime
    data: Mapping[str, Any]


#: Reads one event of a known type; None where Sluice has no use for it. Raises Refused; never stores or sends anything.
Read = Callable[[AzureEvent, datetime], News | None]


@dataclass(frozen=True)
class Family:
    """The event types of one resource provider, and how they are read. The `datetime` is ours, of the arrival."""

    read: Read
    types: frozenset[str]


def azure_event(*, id: object, type: object, topic: object, subject: object, at: datetime | None, data: object) -> AzureEvent:  # noqa: A002 -- as both schemas name them
    """The event of what the Functions library gives. Raises Refused 400 where it is none: no delivery of it would be better.

    Source: learn.microsoft.com/azure/event-grid, Event Grid event schema and CloudEvents v1.0 schema.
    """
    if at is None:
        raise Refused(400, "event-invalid: it tells no time")
    if not isinstance(data, Mapping):
        raise Refused(400, "event-invalid: its data is not an object")
    return AzureEvent(
        id=_text(id, "id", _MAX_ID),
        type=_text(type, "type", _MAX_ID),
        topic=_text(topic, "topic", _MAX_NAME),
        subject=_text(subject, "subject", _MAX_NAME, may_be_empty=True),
        at=at if at.tzinfo else at.replace(tzinfo=UTC),  # the library leaves the zone out where it is not written as Z
        data=data,
    )


def decode(data: Mapping[str, Any], shape: type[msgspec.Struct]) -> Any:
    """The data as `shape`. Raises Refused 400."""
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise Refused(400, f"event-invalid: {error}") from None  # msgspec names types and paths of our own shapes


def _text(value: object, name: str, most: int, *, may_be_empty: bool = False) -> str:
    if value is None and may_be_empty:
        return ""
    if not isinstance(value, str) or not (value or may_be_empty) or len(value) > most:
        raise Refused(400, f"event-invalid: its {name} is not a text of at most {most} characters")
    return value
