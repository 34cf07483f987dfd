"""What a path names."""

import azure.functions as func

_LONGEST_ID = 64


def rollout_id(req: func.HttpRequest) -> str:
    """Raises NotFound where it cannot be one: the database is not asked."""
    from shared.domain.errors import NotFound

    given = req.route_params.get("id") or ""
    if not (given.isascii() and given.replace("-", "").isalnum() and len(given) <= _LONGEST_ID):
        raise NotFound("there is no such rollout")
    return given
