"""Who asks."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared import bootstrap

if TYPE_CHECKING:
    from shared.domain.people import AppRole, Person


def asked_by(req: func.HttpRequest, *roles: "AppRole") -> "Person":
    """The person behind a request that the host has let in. Raises Refused: 401, or 403 where the person has none of `roles`."""
    from shared.domain.people import require, who_asks

    principal, claimed = (req.headers.get(name) or "" for name in ("X-MS-CLIENT-PRINCIPAL", "X-Sluice-Actor"))
    person = who_asks(principal, claimed, signs_in=bootstrap.app().settings.signs_in)
    if roles:
        require(person, *roles)
    return person


def rollout_id(req: func.HttpRequest) -> str:
    """From the path. Raises NotFound where it cannot be one: the database is not asked."""
    from shared.domain.errors import NotFound

    given = req.route_params.get("id") or ""
    if not (given.isascii() and given.replace("-", "").isalnum() and len(given) <= _LONGEST_ID):
        raise NotFound("there is no such rollout")
    return given


_LONGEST_ID = 64
