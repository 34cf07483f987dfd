"""JFrog Artifactory's predefined webhooks of the domain docker (jfrog.com/help, Webhooks; Domain: docker), for images and OCI artifacts.

A delivery has neither an id nor a time, so that a tag that is set back to a former digest has the body of then: what a tag is at is
asked of the registry, whose address is the receiver's `url`.
"""

from collections.abc import Sequence

import msgspec

from shared.domain.record import digest
from shared.receivers.artifacts import Artifact, changes, own_registry
from shared.receivers.inbound import Inbound, Outbound, Received, Sender
from shared.receivers.payloads import content_id, decode
from shared.receivers.signing import hmac_of
from shared.receivers.verification import verify_hmac

_DOMAIN = "docker"
_DELETED = "deleted"
#: A promotion names the repository that an image left or the one that it came to: what it moved, the registry tells.
_EVENTS = ("pushed", "promoted", _DELETED)


class _Image(msgspec.Struct):
    image_name: str = ""  #: its path below the repository
    tag: str = ""


class _Event(msgspec.Struct):
    domain: str
    event_type: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_EVENT = msgspec.json.Decoder(_Event)
_IMAGE = msgspec.json.Decoder(_Image)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies X-JFrog-Event-Auth, the digits of an HMAC-SHA256 over the raw body where the webhook's secret is used for signing."""
    verify_hmac(inbound.body, inbound.headers.get("x-jfrog-event-auth", ""), secrets, {"": "sha256"})
    event = decode(_EVENT, inbound.body)
    delivery = digest(content_id(inbound.body), inbound.received_at.isoformat())
    if event.domain != _DOMAIN or event.event_type not in _EVENTS:
        return Received(delivery=delivery, event=f"{event.domain}.{event.event_type}")
    image = decode(_IMAGE, bytes(event.data))
    named = [Artifact(repository=f"{own_registry(inbound)}/{image.image_name}", tag=image.tag)]
    moved = changes(inbound, delivery, named, deleted=event.event_type == _DELETED)
    return Received(delivery=delivery, event=event.event_type, changes=moved)


def sign(outbound: Outbound) -> dict[str, str]:
    return {"X-JFrog-Event-Auth": hmac_of(outbound)}


SENDER = Sender(receive, sign, events=_EVENTS, options=frozenset({"url", "registryCredentialsRef"}), required=frozenset({"url"}))
