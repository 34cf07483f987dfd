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
