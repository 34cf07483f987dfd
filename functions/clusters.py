"""People ask about clusters."""

from collections.abc import Mapping

import azure.functions as func

from functions import people
from functions.paths import limit
from functions.principal import asked_by
from shared import bootstrap

blueprint = func.Blueprint()

_PAGE = 100


@people.route(blueprint, "clusters", "GET")
async def list_clusters(req: func.HttpRequest) -> Mapping[str, object]:
    """By id. Query: `state`, `limit` (1 to 1000, default 100), `continuation` from the page before."""
    asked_by(req, "Reader", "Operator", "Approver")
    state, continuation = (req.params.get(name) or "" for name in ("state", "continuation"))
    return await bootstrap.app().report_clusters()(state=state, limit=limit(req, _PAGE), continuation=continuation)
