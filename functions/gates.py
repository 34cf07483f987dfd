"""The service behind a webhook gate answers."""

import azure.functions as func

from functions.answers import answer
from shared import bootstrap
from shared.log import event_logger

blueprint = func.Blueprint()

log = event_logger("sluice.gates")


# Anonymous to the host: the token in the URL is what authenticates it.
@blueprint.route("gates/{rollout}/{stage:int}/{gate}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def answer_gate(req: func.HttpRequest) -> func.HttpResponse:
    from shared.domain.errors import NotAllowed, NotFound, Refused, SluiceError

    at = req.route_params
    try:
        callback = bootstrap.app().callback()
        gate = await callback(at["rollout"], int(at["stage"]), at["gate"], req.params.get("token") or "", req.get_body())
    except Refused as refused:
        log.warning("gate.refused", extra={"status": refused.status, "reason": refused.reason})
        return answer(refused.status, {"error": refused.reason} if refused.explain else None)
    except NotFound as error:
        return answer(404, {"error": str(error)})
    except NotAllowed as error:
        return answer(409, {"error": str(error)})
    except SluiceError as error:
        log.exception("gate.unavailable", extra={"error": type(error).__name__})
        return answer(503, {"error": "not recorded: a dependency is unavailable; answer again"})
    return answer(200, {"gate": gate.name, "recorded": True})
