"""People ask what a cluster ran when."""

from collections.abc import Mapping

import azure.functions as func

from functions import people
from functions.paths import limit
from functions.principal import asked_by
from shared import bootstrap

blueprint = func.Blueprint()

_ROWS = 100


@people.route(blueprint, "history", "GET")
async def get_history(req: func.HttpRequest) -> Mapping[str, object]:
    """Newest first. Query: `cluster` (a name, or an ARM id of a cluster or fluxConfiguration), `limit` (1 to 1000, default 100)."""
    asked_by(req, "Reader", "Operator", "Approver")
    return await bootstrap.app().history()(req.params.get("cluster") or "", limit=limit(req, _ROWS))
