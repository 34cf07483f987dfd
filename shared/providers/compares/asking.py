"""What asking a Git host's API has in common: one host that configuration names, one token, answers of bounded size and known shape."""

import base64
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from shared.domain.comparisons import Comparison
from shared.domain.errors import Rejected
from shared.providers.http import OutboundHttp

T = TypeVar("T")

_LONGEST_ANSWER = 8 * 1024 * 1024  # bytes; some hosts send every line that differs with every file


async def get(http: OutboundHttp, address: str, query: Mapping[str, object], headers: Mapping[str, str], shape: type[T]) -> T:
    """The answer. Raises Rejected where it has another shape, and what `OutboundHttp.ask` raises."""
    answer = await http.ask("GET", f"{address}?{urlencode(query)}", headers=headers, limit=_LONGEST_ANSWER)
    if answer.status == 401:
        raise Rejected("the host does not let us read", code="401")
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Rejected("the host's answer has another shape", code="AnswerUnreadable") from None


def segments(comparison: Comparison) -> list[str]:
    """The path of the repository, each part quoted for a path. Raises Rejected for parts that would lead elsewhere."""
    parts = comparison.repository.split("/")[1:]
    if any(part in (".", "..") for part in parts):
        raise Rejected("not the path of a repository", code="RepositoryUnknown")
    return [quote(part, safe="~") for part in parts]


def split(comparison: Comparison) -> tuple[str, str]:
    """Owner and name. Raises Rejected for what has another form."""
    match segments(comparison):
        case [owner, name]:
            return owner, name
    raise Rejected("not the path of a repository of this host", code="RepositoryUnknown")


def bearer(comparison: Comparison) -> dict[str, str]:
    return {"Authorization": f"Bearer {comparison.token}"} if comparison.token else {}


def basic(credentials: str) -> dict[str, str]:
    """RFC 7617, of `user:password`."""
    return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
