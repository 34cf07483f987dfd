"""People look at a digest without waiting for it."""

from collections.abc import Mapping

import azure.functions as func

from functions import people
from functions.principal import asked_by
from shared import bootstrap

blueprint = func.Blueprint()


@people.route(blueprint, "digests/{name}", "GET")
async def get_digest(req: func.HttpRequest) -> Mapping[str, object]:
    """When it came last and comes next, and what it would say now."""
    asked_by(req, "Reader", "Operator", "Approver")
    report = await bootstrap.app().report_digest()
    return await report(req.route_params.get("name") or "")
