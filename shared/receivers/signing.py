"""How senders prove a delivery, the other way round than verification.py: `sluice send` and `sluice plan` make deliveries with it.

The app itself signs none.
"""

import base64
import hmac

from shared.domain.errors import Malformed
from shared.receivers.inbound import Outbound
from shared.receivers.verification import signing_key


def hmac_of(outbound: Outbound, algorithm: str = "sha256") -> str:
    """The hexadecimal HMAC over the raw body."""
    return hmac.digest(outbound.secret.encode(), outbound.body, algorithm).hex()


def signed(outbound: Outbound) -> dict[str, str]:
    """X-Signature, or the header that the receiver names, as Flux's generic-hmac has it."""
    return {outbound.header or "X-Signature": f"sha256={hmac_of(outbound)}"}


def standard_webhooks(outbound: Outbound) -> dict[str, str]:
    """The id, the time, and the signature over them and the raw body (github.com/standard-webhooks/standard-webhooks, specification)."""
    key = signing_key(outbound.secret)
    if key is None:
        raise Malformed("the secret of a signature as Standard Webhooks have it is whsec_ and Base64")
    timestamp = str(int(outbound.at.timestamp()))
    text = f"{outbound.delivery}.{timestamp}.".encode() + outbound.body
    signature = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
    return {"webhook-id": outbound.delivery, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def basic_auth(outbound: Outbound) -> dict[str, str]:
    """Authorization (RFC 7617), of a secret that is `user:password`; or the header that the receiver names, with the secret as it is."""
    if outbound.header:
        return {outbound.header: outbound.secret}
    return {"Authorization": f"Basic {base64.b64encode(outbound.secret.encode()).decode()}"}


def bearer(outbound: Outbound) -> dict[str, str]:
    """Authorization, or the header that the receiver names, with the secret in it."""
    return {outbound.header or "Authorization": f"Bearer {outbound.secret}"}


def by_address(outbound: Outbound) -> dict[str, str]:
    """No header: the secret is the end of the URL."""
    return {}
