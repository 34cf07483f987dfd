"""People ask about rollouts."""

import azure.functions as func

from functions.answers import answer
from shared import bootstrap

blueprint = func.Blueprint()

_PAGE = 20


@blueprint.route("rollouts", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def list_rollouts(req: func.HttpRequest) -> func.HttpResponse:
    """Newest first. Query: `limit` (1 to 100, default 20), `continuation` from the page before."""
    limit = req.params.get("limit") or str(_PAGE)
    if not limit.isdecimal():
        return answer(400, {"error": "limit must be a whole number from 1 to 100"})
    return answer(200, await bootstrap.app().report().recent(int(limit[:4]), req.params.get("continuation") or None))


@blueprint.route("rollouts/{id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def get_rollout(req: func.HttpRequest) -> func.HttpResponse:
    from shared.domain.errors import NotFound

    try:
        return answer(200, await bootstrap.app().report().one(req.route_params.get("id") or ""))
    except NotFound as error:
        return answer(404, {"error": str(error)})
