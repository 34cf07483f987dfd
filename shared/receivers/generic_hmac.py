"""Anything that can sign: Sluice's own body (docs/receivers.md), signed as Flux's notification-controller does."""

from collections.abc import Sequence

import msgspec

from shared.domain.changes import Change
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.payloads import content_id, decode, time_of
from shared.receivers.pushes import Move, Ref, Sha, changes_of
from shared.receivers.signing import signed
from shared.receivers.verification import verify_hmac

EVENT = "push"  #: the only one


class _Push(msgspec.Struct):
    repository: str
    ref: Ref
    after: Sha
    before: Sha = ""
    paths: list[str] | None = None
    author: str = ""
    title: str = ""
    timestamp: int | str | None = None


_DECODER = msgspec.json.Decoder(_Push)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies X-Signature, `sha256=` or `sha512=` and the digits of the HMAC, over the raw body. Equal bodies are one delivery."""
    signature = inbound.headers.get(inbound.header or "x-signature", "")
    verify_hmac(inbound.body, signature, secrets, {"sha256=": "sha256", "sha512=": "sha512"})
    delivery = content_id(inbound.body)
    return Received(delivery=delivery, event=EVENT, changes=read(inbound, delivery))


def read(inbound: Inbound, delivery: str) -> tuple[Change, ...]:
    """The change in a verified body. Raises Refused 400."""
    push = decode(_DECODER, inbound.body)
    move = Move(
        url=push.repository,
        ref=push.ref,
        before=push.before,
        after=push.after,
        pushed_at=time_of(push.timestamp),
        pusher=push.author,
        message=push.title,
        authors=[(push.author, None)],
        files=[push.paths],
        is_complete=True,
    )
    return changes_of(inbound, delivery, [move])


SENDER = Sender(receive, signed, events=(EVENT,), options=frozenset({"header"}))
