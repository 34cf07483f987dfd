"""A webhook arrives."""

import azure.functions as func

from functions.answers import answer
from shared import bootstrap

blueprint = func.Blueprint()


# Anonymous to the host: the sender's signature is what authenticates it.
@blueprint.route("receivers/{name}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def receive(req: func.HttpRequest) -> func.HttpResponse:
    given = await bootstrap.app().receive()(req.route_params.get("name") or "", dict(req.headers), req.get_body())
    return answer(given.status, given.body)
