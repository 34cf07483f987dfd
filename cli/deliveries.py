"""Deliveries that are made here: signed as the sender of a receiver signs, and read as the receiver reads."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.config.models import Config, Receiver
    from shared.receivers.inbound import Received

#: Every scheme takes it: as a signing secret of Standard Webhooks, and as text.
_ANY_SECRET = "whsec_c2x1aWNlIHBsYW4gc2lnbnMgd2l0aCB0aGlz"  # noqa: S105 -- proves nothing to anyone: it never leaves the process


class NoDelivery(Exception):
    """There is nothing that could be delivered, or nobody whom it could be delivered to; the text is for people."""


def read_config(file: Path) -> "Config":
    """Raises NoDelivery, Malformed, and OSError where there is no such file."""
    from shared.config.loader import load_text

    try:
        return load_text(file.read_text("utf-8"), str(file))
    except UnicodeDecodeError:
        raise NoDelivery(f"{file} is not UTF-8 text") from None


def find_receiver(config: "Config", name: str | None) -> "Receiver":
    """The receiver of that name, or the only one. Raises NoDelivery."""
    known = ", ".join(receiver.name for receiver in config.receivers) or "none"
    if name is None and len(config.receivers) != 1:
        raise NoDelivery(f"--receiver must name one of sluice.yaml's receivers (it has: {known})")
    receiver = config.receiver(name) if name is not None else config.receivers[0]
    if receiver is None:
        raise NoDelivery(f"sluice.yaml has no receiver named {name} (it has: {known})")
    return receiver


def headers(receiver: "Receiver", body: bytes, secret: str, *, event: str | None = None, delivery: str | None = None) -> dict[str, str]:
    """The headers that the sender would send with this body: of its usual event, and with a new id, where none is given.

    Raises Malformed for a secret that is none for this sender.
    """
    from shared.adapters import now
    from shared.receivers.inbound import Outbound

    sender = receiver.sender
    outbound = Outbound(
        body=body,
        secret=secret,
        event=event or (sender.default_events or sender.events)[0],
        delivery=delivery or str(uuid.uuid4()),
        at=now(),
        header=receiver.header or "",
        identity=receiver.identity or "",
    )
    return {"Content-Type": "application/json", **sender.sign(outbound)}


def received(receiver: "Receiver", body: bytes, event: str | None) -> "Received":
    """What the app would read in the body. Raises NoDelivery where it would refuse it."""
    from shared.adapters import now
    from shared.domain.errors import Refused
    from shared.receivers.inbound import Inbound

    sent = headers(receiver, body, _ANY_SECRET, event=event)
    inbound = Inbound(
        receiver=receiver.name,
        headers={name.lower(): value for name, value in sent.items()},
        body=body,
        received_at=now(),
        token=_ANY_SECRET if receiver.sender.takes_token else "",
        header=(receiver.header or "").lower(),
        url=receiver.url,
        identity=receiver.identity or "",
        automation_authors=receiver.automation_authors,
    )
    try:
        return receiver.sender.receive(inbound, [_ANY_SECRET])
    except Refused as refused:
        raise NoDelivery(f"the receiver would refuse the event: {refused.reason}") from None
