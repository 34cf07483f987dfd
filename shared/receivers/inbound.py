"""What every receiver is given, and what it answers with."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from shared.domain.changes import Change
from shared.domain.checks import CheckResult
from shared.domain.errors import Refused
from shared.domain.record import Record


class Inbound(Record, frozen=True):
    """One HTTP request to a receiver. Header names are lower case."""

    receiver: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class Received(Record, frozen=True):
    """A verified request: the changes in it, the results of checks, or the name of the event that is neither."""

    delivery: str
    event: str
    changes: tuple[Change, ...] = ()
    checks: tuple[CheckResult, ...] = ()


#: Verifies and parses, in that order. Raises Refused; never stores or sends anything.
Receive = Callable[[Inbound, Sequence[str]], Received]


def verify_hmac_sha256(body: bytes, signature: str, secrets: Sequence[str], *, prefix: str = "sha256=") -> None:
    """Checks a hexadecimal HMAC-SHA256 over the raw body against every secret, in constant time. Raises Refused 401.

    A missing or empty signature is refused, and so is a receiver without a secret: half a configuration is none.
    """
    if not signature:
        raise Refused(401, "signature-missing")
    if not secrets or not all(secrets):
        raise Refused(401, "secret-empty")
    given = signature.removeprefix(prefix) if signature.startswith(prefix) else ""
    # ASCII bytes: compare_digest refuses other text, and the header is the sender's.
    candidate = given.lower().encode("ascii", "replace")
    matches = [hmac.compare_digest(candidate, hmac.digest(secret.encode(), body, "sha256").hex().encode()) for secret in secrets]
    if not given or not any(matches):
        raise Refused(401, "signature-wrong")
