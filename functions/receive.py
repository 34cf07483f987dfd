"""A webhook arrives."""

import azure.functions as func

from functions.answers import answer
from shared import bootstrap
from shared.log import event_logger

log = event_logger("sluice.receive")
blueprint = func.Blueprint()


# Anonymous to the host: the sender's signature, or the token in its URL, is what authenticates it.
@blueprint.route("receivers/{name}/{token?}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def receive(req: func.HttpRequest) -> func.HttpResponse:
    from shared.domain.errors import Malformed

    try:
        use_case = await bootstrap.app().receive()
    except Malformed:  # settings or sluice.yaml: /api/health/ready says what is wrong
        from shared.metrics import REFUSED, count

        count(REFUSED, receiver="unknown", reason="not-configured")
        log.warning("receiver.refused", extra={"receiver": "unknown", "status": 503, "reason": "not-configured"})
        return answer(503, {"error": "not configured: deliver again"})
    route = req.route_params
    given = await use_case(route.get("name") or "", dict(req.headers), req.get_body(), route.get("token") or "")
    return answer(given.status, given.body, given.retry_after)
