"""Somebody clicks in Slack."""

import azure.functions as func

from functions.answers import answer
from shared import bootstrap
from shared.log import event_logger

log = event_logger("sluice.slack")
blueprint = func.Blueprint()


# Anonymous to the host: Slack's signature is what authenticates it.
@blueprint.route("slack/interactions/{provider}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def answer_in_slack(req: func.HttpRequest) -> func.HttpResponse:
    from shared.domain.errors import Malformed

    try:
        use_case = await bootstrap.app().answer_in_slack()
    except Malformed:  # settings or sluice.yaml: /api/health/ready says what is wrong
        log.warning("slack.not-configured")
        return answer(503)
    given = await use_case(req.route_params.get("provider") or "", dict(req.headers), req.get_body())
    return answer(given.status, given.body, given.retry_after)
