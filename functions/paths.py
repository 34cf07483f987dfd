"""What a path and its query name."""

import azure.functions as func

_LONGEST_ID = 64
_DIGEST, _HEX = 32, frozenset("0123456789abcdef")


def rollout_id(req: func.HttpRequest) -> str:
    """Raises NotFound where it cannot be one: the database is not asked."""
    from shared.domain.errors import NotFound

    given = req.route_params.get("id") or ""
    if not (given.isascii() and given.replace("-", "").isalnum() and len(given) <= _LONGEST_ID):
        raise NotFound("there is no such rollout")
    return given


def digest_in(req: func.HttpRequest, part: str) -> str:
    """A part of the path that can only be a digest. Raises NotFound."""
    from shared.domain.errors import NotFound

    given = req.route_params.get(part) or ""
    if len(given) != _DIGEST or not set(given) <= _HEX:
        raise NotFound("there is no such notification")
    return given


def limit(req: func.HttpRequest, default: int) -> int:
    """Brought into its range by the use case."""
    from shared.domain.errors import Refused

    asked = req.params.get("limit") or str(default)
    if not (asked.isascii() and asked.isdecimal()):
        raise Refused(400, "limit must be a whole number from 1", explain=True)
    return int(asked[:4])
