"""Webhooks of Sonatype Nexus Repository 3, event types component and asset (help.sonatype.com, Webhooks).

A delivery names neither the registry, which is the receiver's `url`, nor the digest, which is asked of it. Its time is when it arrived, so
that what it says and what the registry answers have one clock.
"""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.receivers.artifacts import Artifact, changes, own_registry
from shared.receivers.inbound import Inbound, Outbound, Received, Sender
from shared.receivers.payloads import decode, required_headers
from shared.receivers.signing import hmac_of
from shared.receivers.verification import verify_hmac

_EVENTS = ("rm:repository:component", "rm:repository:asset")
_MANIFEST = re.compile(r"/?v2/(?P<name>.+)/manifests/(?P<tag>[^/]+)")  #: the path of an asset that a tag names


class _Component(msgspec.Struct):
    format: str = ""
    name: str = ""
    version: str | None = None  #: the tag


class _Payload(msgspec.Struct):
    action: str = ""  #: CREATED, UPDATED, DELETED, PURGED
    initiator: Annotated[str, Meta(max_length=256)] | None = None  #: user/address
    component: _Component | None = None
    asset: _Component | None = None


_DECODER = msgspec.json.Decoder(_Payload)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies X-Nexus-Webhook-Signature (Nexus knows SHA-1 only), then reads the event. A tag of a Docker repository is a change."""
    verify_hmac(inbound.body, inbound.headers.get("x-nexus-webhook-signature", ""), secrets, {"": "sha1"})
    event, delivery = required_headers(inbound, "X-Nexus-Webhook-Id", "X-Nexus-Webhook-Delivery")
    payload = decode(_DECODER, inbound.body)
    item = payload.component if event == _EVENTS[0] else payload.asset
    named = [_artifact(inbound, item)] if event in _EVENTS and item and item.format == "docker" else []
    moved = changes(
        inbound,
        delivery,
        named if payload.action in ("CREATED", "UPDATED", "DELETED") else [],
        author=(payload.initiator or "").partition("/")[0],
        deleted=payload.action == "DELETED",
    )
    return Received(delivery=delivery, event=event, changes=moved)


def _artifact(inbound: Inbound, item: _Component) -> Artifact:
    """The artifact that a component is, or that an asset is a manifest of; without a tag where it is neither."""
    manifest = _MANIFEST.fullmatch(item.name)
    name, tag = (manifest["name"], manifest["tag"]) if manifest else (item.name, item.version or "")
    return Artifact(repository=f"{own_registry(inbound)}/{name}", tag=tag)


def sign(outbound: Outbound) -> dict[str, str]:
    return {
        "X-Nexus-Webhook-Id": outbound.event,
        "X-Nexus-Webhook-Delivery": outbound.delivery,
        "X-Nexus-Webhook-Signature": hmac_of(outbound, "sha1"),
    }


SENDER = Sender(receive, sign, events=_EVENTS, options=frozenset({"url", "registryCredentialsRef"}), required=frozenset({"url"}))
