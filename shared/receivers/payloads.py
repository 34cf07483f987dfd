"""Bodies and headers, once they are verified: what a sender must have said, or a refusal that tells it what is missing."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar

import msgspec

from shared.domain.errors import Malformed, Refused
from shared.receivers.inbound import Inbound

T = TypeVar("T")


def required_headers(inbound: Inbound, *names: str) -> list[str]:
    """The values of headers that no delivery may be without. Raises Refused 400."""
    values = [inbound.headers.get(name.lower(), "") for name in names]
    if not all(values):
        raise Refused(400, f"headers-missing: {' and '.join(names)} {'are' if len(names) > 1 else 'is'} required", explain=True)
    return values


def decode(decoder: msgspec.json.Decoder[T], payload: bytes) -> T:
    """The payload as its type. Raises Refused 400."""
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(error) from None


def check_object(payload: bytes) -> None:
    """That an event of which nothing is read is at least a JSON object. Raises Refused 400."""
    decode(_OBJECT, payload)


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def invalid(error: Exception) -> Refused:
    """Msgspec names types and field paths of our own schema, and Malformed is our own text: never the sender's."""
    told = str(error) if isinstance(error, msgspec.ValidationError | Malformed) else "not valid JSON"
    return Refused(400, f"body-invalid: {told}", explain=True)


def content_id(body: bytes) -> str:
    """An id for deliveries that have none: the same for the same body."""
    return sha256(body).hexdigest()[:32]


def time_of(told: int | str | None) -> datetime | None:
    """Unix seconds or ISO 8601, without a zone taken for UTC; None for anything else."""
    try:
        if isinstance(told, int):
            return datetime.fromtimestamp(told, UTC)
        time = datetime.fromisoformat(told) if told else None
        return time and (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
