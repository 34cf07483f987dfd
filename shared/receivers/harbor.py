"""Harbor's webhooks, in the formats Default and CloudEvents (goharbor.io/docs, Configure webhook notifications).

Harbor signs nothing; it sends the policy's "Auth Header" as Authorization, word for word.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from shared.receivers.artifacts import Artifact, changes, split_image, verify_header
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.payloads import content_id, decode, time_of
from shared.receivers.signing import bearer

#: The types of CloudEvents by their names in the Default format, as far as they move a tag.
_EVENTS = {
    "harbor.artifact.pushed": "PUSH_ARTIFACT",
    "harbor.artifact.deleted": "DELETE_ARTIFACT",
    "harbor.tag.created": "CREATE_TAG",
}


class _Resource(msgspec.Struct):
    resource_url: str  #: host/project/repository:tag, or @digest where there is no tag
    digest: str = ""


class _EventData(msgspec.Struct):
    resources: list[_Resource] | None = None


class _Event(msgspec.Struct):
    type: Annotated[str, Meta(min_length=1, max_length=64)]
    occur_at: int | None = None  #: Unix seconds; Default
    operator: Annotated[str, Meta(max_length=256)] = ""
    event_data: msgspec.Raw = msgspec.Raw(b"null")  #: Default
    specversion: str = ""  #: CloudEvents, as all below
    id: Annotated[str, Meta(max_length=256)] = ""
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_DECODER = msgspec.json.Decoder(_Event)
_DATA_DECODER = msgspec.json.Decoder(_EventData | None)  # of the events that we read; other events carry other things


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies the header, then reads either format. A pushed or deleted artifact is a change where it has a tag."""
    verify_header(inbound, secrets)
    told = decode(_DECODER, inbound.body)
    event = _EVENTS.get(told.type, told.type) if told.specversion else told.type
    delivery = told.id or content_id(inbound.body)
    if event not in _EVENTS.values():
        return Received(delivery=delivery, event=event)
    data = decode(_DATA_DECODER, told.data if told.specversion else told.event_data)
    moved = changes(
        inbound,
        delivery,
        [_artifact(resource) for resource in (data and data.resources) or ()],
        at=time_of(told.time if told.specversion else told.occur_at),
        author=told.operator,
        deleted=event == "DELETE_ARTIFACT",
    )
    return Received(delivery=delivery, event=event, changes=moved)


def _artifact(resource: _Resource) -> Artifact:
    return replace(split_image(resource.resource_url), digest=resource.digest)


SENDER = Sender(receive, bearer, events=tuple(_EVENTS.values()), options=frozenset({"header"}))
