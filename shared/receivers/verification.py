"""How senders prove themselves.

Every check is given all secrets that are valid now (two while one replaces the other), compares in constant time, and raises
Refused 401. A missing proof is refused, and so is a receiver without a secret: half a configuration is none.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.domain.errors import Refused
from shared.receivers.inbound import Inbound

#: Seconds that a signed time may be away from ours (github.com/standard-webhooks: "some allowable tolerance"; its libraries' own value).
TOLERANCE_SECONDS: Final = 300

_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 -- what secrets begin with, not one of them
#: No dot: the signed text joins id, time and body with dots, and must be read in one way only.
_WEBHOOK_ID: Final = re.compile(r"[^.\s]{1,256}")
_UNIX_SECONDS: Final = re.compile(r"[0-9]{1,12}")


def verify_hmac(body: bytes, signature: str, secrets: Sequence[str], algorithms: Mapping[str, str]) -> None:
    """Checks a hexadecimal HMAC over the raw body.

    `algorithms` are the accepted hashes by the prefix that names them: {"sha256=": "sha256"}, or {"": "sha256"} for bare digits.
    """
    _require(signature, secrets, "signature")
    prefix = next((prefix for prefix in algorithms if signature.startswith(prefix)), None)
    if prefix is None:
        raise Refused(401, "signature-wrong")
    expected = [hmac.digest(secret.encode(), body, algorithms[prefix]).hex() for secret in secrets]
    if not _is_any(signature.removeprefix(prefix).lower(), expected):
        raise Refused(401, "signature-wrong")


def verify_standard_webhooks(inbound: Inbound, secrets: Sequence[str]) -> str:
    """Checks webhook-signature over id, time and raw body, and that the time is ours; returns the id.

    Only the symmetric scheme, `v1`, whose secrets are `whsec_` and Base64 (github.com/standard-webhooks/standard-webhooks, specification).
    A secret of another form is passed over: it may be the one that signatures are about to replace.
    """
    given = inbound.headers.get("webhook-signature", "")
    _require(given, secrets, "signature")
    keys = [key for secret in secrets if (key := signing_key(secret))]
    if not keys:
        raise Refused(401, "secret-invalid: it must be whsec_ and Base64")
    webhook_id, timestamp = inbound.headers.get("webhook-id", ""), inbound.headers.get("webhook-timestamp", "")
    if not _WEBHOOK_ID.fullmatch(webhook_id) or not _UNIX_SECONDS.fullmatch(timestamp):
        raise Refused(401, "signature-incomplete: webhook-id and webhook-timestamp are required")
    signed = f"{webhook_id}.{timestamp}.".encode() + inbound.body
    expected = [f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys]
    matches = [_is_any(candidate, expected) for candidate in given.split(" ")]
    if not any(matches):
        raise Refused(401, "signature-wrong")
    if abs(inbound.received_at.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused(401, "timestamp-away: signed too long ago, or a clock is wrong")
    return webhook_id


def verify_slack(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Checks x-slack-signature, version v0, over time and raw body, and that the time is ours. Names of headers are lower-case.

    https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    signature, timestamp = headers.get("x-slack-signature", ""), headers.get("x-slack-request-timestamp", "")
    if not _UNIX_SECONDS.fullmatch(timestamp):
        raise Refused(401, "signature-incomplete: x-slack-request-timestamp is required")
    verify_hmac(f"v0:{timestamp}:".encode() + body, signature, secrets, {"v0=": "sha256"})
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused(401, "timestamp-away: signed too long ago, or a clock is wrong")


def verify_token(given: str, secrets: Sequence[str]) -> None:
    """Checks that a header, or the end of the URL, is one of the secrets."""
    _require(given, secrets, "token")
    if not _is_any(given, secrets):
        raise Refused(401, "token-wrong")


def verify_basic_auth(authorization: str, secrets: Sequence[str]) -> None:
    """Checks HTTP basic authentication against secrets of the form `user:password` (RFC 7617), compared whole."""
    _require(authorization, secrets, "authorization")
    scheme, _, given = authorization.partition(" ")
    expected = [base64.b64encode(secret.encode()).decode() for secret in secrets]
    if scheme.lower() != "basic" or not _is_any(given.strip(), expected):
        raise Refused(401, "authorization-wrong")


def _require(given: str, secrets: Sequence[str], what: str) -> None:
    if not given:
        raise Refused(401, f"{what}-missing")
    if not secrets or not all(secrets):
        raise Refused(401, "secret-empty")


def _is_any(given: str, expected: Sequence[str]) -> bool:
    """Compares with each of `expected`, whichever fits: how long it takes tells nothing."""
    candidate = given.encode("utf-8", "replace")  # bytes: compare_digest refuses other text than ASCII, and a header is the sender's
    matches = [hmac.compare_digest(candidate, text.encode()) for text in expected]
    return any(matches)


def signing_key(secret: str) -> bytes | None:
    """The key that a secret of Standard Webhooks holds; None where it is none."""
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True) if secret.startswith(_SECRET_PREFIX) else None
    except binascii.Error:
        return None
