"""People ask about the fleet."""

from collections.abc import Mapping

import azure.functions as func

from functions import people
from functions.paths import limit
from functions.principal import asked_by
from shared import bootstrap

blueprint = func.Blueprint()

_PAGE = 100
_FILTERS = ("compliance", "connectivity", "drift", "revision", "cluster")


@people.route(blueprint, "fleet", "GET")
async def get_fleet(req: func.HttpRequest) -> Mapping[str, object]:
    """Counts, and a page of rows. Query: `compliance`, `connectivity`, `drift`, `revision`, `cluster`; `limit` (1 to 1000, default 100),
    `continuation` from the page before.
    """
    from shared.services.report_fleet import FleetFilter

    asked_by(req, "Reader", "Operator", "Approver")
    wanted = FleetFilter(**{name: req.params.get(name) or "" for name in _FILTERS})
    return await bootstrap.app().report_fleet()(wanted, limit=limit(req, _PAGE), continuation=req.params.get("continuation") or "")
