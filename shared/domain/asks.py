"""What people send with an act or an answer: a small JSON body."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.domain.errors import Refused

MAX_BODY_BYTES = 16 * 1024
MAX_REASON_CHARACTERS = 500
_MAX_COMPLAINT_CHARACTERS = 300


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and of what. A misspelt field is refused: a rollback of all stages must not come of a `stages` that nobody reads."""

    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON_CHARACTERS)]
    stage: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


def read_ask(content_type: str, site: str, body: bytes) -> Ask:
    """The body, checked. `site` is the header Sec-Fetch-Site. Raises Refused 403, 415, 413 or 400 with what is wrong.

    A browser sends its user's cookies with whatever page asks it to. A page of another origin cannot send JSON unless the app's CORS
    settings allow it (fetch.spec.whatwg.org, CORS-safelisted request-header), and newer browsers say that it is one.
    """
    if site not in ("", "same-origin", "none"):
        raise Refused(403, "not from a page of another site", explain=True)
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Content-Type must be application/json", explain=True)
    if len(body) > MAX_BODY_BYTES:
        raise Refused(413, f"at most {MAX_BODY_BYTES} bytes", explain=True)
    ask = _decode(body)
    check_reason(ask.reason)
    return ask


def check_reason(reason: str) -> str:
    """The reason. Raises Refused 400 where it is none, or holds what cannot be read."""
    if not (reason.isprintable() and reason.strip() and len(reason) <= MAX_REASON_CHARACTERS):
        raise Refused(400, f"reason must be 1 to {MAX_REASON_CHARACTERS} printable characters", explain=True)
    return reason


def _decode(body: bytes) -> Ask:
    try:
        return msgspec.json.decode(body, type=Ask)
    except msgspec.ValidationError as error:
        raise Refused(400, str(error)[:_MAX_COMPLAINT_CHARACTERS], explain=True) from None
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON", explain=True) from None
