"""People look at a digest without waiting for it."""

from collections.abc import Mapping

import azure.functions as func

from functions.answers import answer_people
from functions.principal import asked_by
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.route("digests/{name}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def get_digest(req: func.HttpRequest) -> func.HttpResponse:
    """When it came last and comes next, and what it would say now."""
    return await answer_people(_one(req))


async def _one(req: func.HttpRequest) -> Mapping[str, object]:
    asked_by(req, "Reader", "Operator", "Approver")
    report = await bootstrap.app().report_digest()
    return await report(req.route_params.get("name") or "")
