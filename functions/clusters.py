"""People ask about clusters."""

from collections.abc import Mapping

import azure.functions as func

from functions.answers import answer_people
from functions.paths import limit
from functions.principal import asked_by
from shared import bootstrap

blueprint = func.Blueprint()

_PAGE = 100


@blueprint.route("clusters", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def list_clusters(req: func.HttpRequest) -> func.HttpResponse:
    """By id. Query: `state`, `limit` (1 to 1000, default 100), `continuation` from the page before."""
    return await answer_people(_list(req))


async def _list(req: func.HttpRequest) -> Mapping[str, object]:
    asked_by(req, "Reader", "Operator", "Approver")
    state, continuation = (req.params.get(name) or "" for name in ("state", "continuation"))
    return await bootstrap.app().report_clusters()(state=state, limit=limit(req, _PAGE), continuation=continuation)
