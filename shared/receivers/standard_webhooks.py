"""Anything that signs as Standard Webhooks do (standardwebhooks.com), with Sluice's own body (docs/receivers.md)."""

from collections.abc import Sequence

from shared.receivers import generic_hmac
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.signing import standard_webhooks
from shared.receivers.verification import verify_standard_webhooks


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies webhook-signature over id, time and raw body; the id is the delivery's."""
    return generic_hmac.read(inbound, verify_standard_webhooks(inbound, secrets))


SENDER = Sender(
    receive,
    standard_webhooks,
    events=generic_hmac.SENDER.events,
    default_events=generic_hmac.SENDER.default_events,
    check_events=generic_hmac.SENDER.check_events,
)
