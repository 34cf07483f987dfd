"""Anything that can sign: Sluice's own body (docs/receivers.md), signed as Flux's notification-controller does."""

from collections.abc import Sequence

import msgspec

from shared.receivers import generic_checks
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.payloads import content_id, decode, time_of
from shared.receivers.pushes import Move, Ref, Sha, changes_of
from shared.receivers.signing import signed
from shared.receivers.verification import verify_hmac

_PUSHED = "push"


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
    return read(inbound, content_id(inbound.body))


def read(inbound: Inbound, delivery: str) -> Received:
    """The change, or the result of a check, in a verified body. Raises Refused 400."""
    if generic_checks.is_check(inbound.body):
        checks = generic_checks.read(inbound.body, inbound.received_at)
        return Received(delivery=delivery, event=generic_checks.EVENT, checks=checks)
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
    return Received(delivery=delivery, event=_PUSHED, changes=changes_of(inbound, delivery, [move]))


SENDER = Sender(
    receive,
    signed,
    events=(_PUSHED, generic_checks.EVENT),
    default_events=(_PUSHED,),
    check_events=frozenset({generic_checks.EVENT}),
    options=frozenset({"header"}),
)
