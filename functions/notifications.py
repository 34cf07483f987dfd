"""People ask what was never delivered, and send it again."""

from collections.abc import Mapping

import azure.functions as func

from functions import people
from functions.paths import digest_in, limit
from functions.principal import asked_by
from shared import bootstrap

blueprint = func.Blueprint()

_PAGE = 20


@people.route(blueprint, "notifications", "GET")
async def list_notifications(req: func.HttpRequest) -> Mapping[str, object]:
    """Newest first. Query: `state` (failed, collecting, sent, handed-over; default failed), `limit` (1 to 100, default 20),
    `continuation` from the page before.
    """
    asked_by(req, "Reader", "Operator", "Approver")
    state, continuation = (req.params.get(name) or "" for name in ("state", "continuation"))
    return await bootstrap.app().report_deliveries()(state, limit=limit(req, _PAGE), continuation=continuation)


@people.route(blueprint, "notifications/{channel}/{id}/resend", "POST")
async def resend_notification(req: func.HttpRequest) -> Mapping[str, object]:
    """Body: `reason`."""
    from shared.domain.asks import read_ask
    from shared.domain.errors import Refused

    person = asked_by(req, "Operator")
    content_type, site = (req.headers.get(name) or "" for name in ("Content-Type", "Sec-Fetch-Site"))
    ask = read_ask(content_type, site, req.get_body())
    if ask.stage:
        raise Refused(400, "only a rollback takes a stage", explain=True)
    resend = await bootstrap.app().resend()
    return await resend(digest_in(req, "channel"), digest_in(req, "id"), by=person.actor, reason=ask.reason)
