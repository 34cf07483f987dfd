"""How the service behind a webhook gate is asked, and how its answer is known.

The call is signed as Standard Webhooks says (github.com/standard-webhooks, spec/standard-webhooks.md). The answer comes to a URL that
holds a token, which only Sluice and that service can make.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote

from shared.domain.errors import Malformed
from shared.domain.gates import Gate, wake_at
from shared.domain.record import Record, digest
from shared.domain.rollouts import Rollout

_SECRET_PREFIX = "whsec_"  # noqa: S105 -- what secrets begin with
_LEAST_KEY_BYTES = 24
#: A gate that never expires can be answered as long as its rollout is kept.
_LONGEST = timedelta(days=180)
_TOKEN = re.compile(r"([0-9]{1,11})\.([A-Za-z0-9_-]{43})", re.ASCII)


class GateQuestion(Record, frozen=True):
    """What the service decides on."""

    rollout: str
    route: str
    stage: str
    gate: str
    revision: str
    url: str  #: the repository, in its canonical spelling
    ref: str
    author: str
    title: str
    callback_url: str
    expires_at: datetime


class GateCall(Record, frozen=True):
    """The body of a call, in the layout that Standard Webhooks advises. The same for every attempt."""

    type: Literal["gate.asked"]
    timestamp: datetime
    data: GateQuestion


def signing_key(secret: str) -> bytes:
    """The key in a secret `whsec_<base64>`. Raises Malformed when it is not one of at least 24 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_SECRET_PREFIX) or len(key) < _LEAST_KEY_BYTES:
        raise Malformed(f"a secret that signs webhooks is whsec_ and the base64 of at least {_LEAST_KEY_BYTES} random bytes")
    return key


def make_call(rollout: Rollout, stage: int, gate: Gate, key: bytes, public_url: str) -> GateCall:
    """The question. `public_url` is this app's own address, without a slash at its end. Raises Malformed where nobody waits at the gate."""
    if gate.asked_at is None:
        raise Malformed("nobody waits at this gate")
    # To the second, as the token tells it.
    expiry = (wake_at(gate) or gate.asked_at + _LONGEST).replace(microsecond=0)
    token = make_token(key, rollout.id, stage, gate.name, expiry)
    return GateCall(
        type="gate.asked",
        timestamp=gate.asked_at,
        data=GateQuestion(
            rollout=rollout.id,
            route=rollout.route,
            stage=rollout.stages[stage].name,
            gate=gate.name,
            revision=rollout.revision,
            url=rollout.url,
            ref=rollout.ref,
            author=rollout.author,
            title=rollout.title,
            callback_url=f"{public_url}/api/gates/{quote(rollout.id, safe='')}/{stage}/{quote(gate.name, safe='')}?token={token}",
            expires_at=expiry,
        ),
    )


def call_id(rollout_id: str, stage: int, gate: Gate) -> str:
    """The same for every attempt, so that the service can tell a second call of one question from a new question: a gate that
    expired may be asked again.
    """
    return f"gate_{digest('gate-call', rollout_id, str(stage), gate.name, gate.asked_at.isoformat() if gate.asked_at else '')}"


def call_headers(message_id: str, body: bytes, key: bytes, now: datetime) -> Mapping[str, str]:
    """The three headers of Standard Webhooks. The time is that of the attempt: receivers refuse what is older than minutes."""
    timestamp = str(int(now.timestamp()))
    signature = hmac.digest(key, b".".join((message_id.encode(), timestamp.encode(), body)), "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def make_token(key: bytes, rollout_id: str, stage: int, gate: str, expiry: datetime) -> str:
    """Its expiry in Unix seconds, and a MAC over that and the gate that it opens; safe in a URL."""
    seconds = int(expiry.timestamp())
    # Never what a call is signed over: that begins with the call's id.
    content = f"gate-answer:{digest('gate-answer', rollout_id, str(stage), gate, str(seconds))}"
    mac = base64.urlsafe_b64encode(hmac.digest(key, content.encode(), "sha256")).decode().rstrip("=")
    return f"{seconds}.{mac}"


def is_alive(token: str, now: datetime) -> bool:
    """Whether a token has a token's form and is not expired: all that can be said without the key."""
    match = _TOKEN.fullmatch(token)
    return match is not None and int(match[1]) > now.timestamp()


def is_token_for(token: str, key: bytes, rollout_id: str, stage: int, gate: str, now: datetime) -> bool:
    """Whether a token was made for this gate and is not expired. In constant time where it matters."""
    if not is_alive(token, now):
        return False
    expiry = datetime.fromtimestamp(int(token.partition(".")[0]), UTC)
    return hmac.compare_digest(token, make_token(key, rollout_id, stage, gate, expiry))
