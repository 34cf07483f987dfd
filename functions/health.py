"""A probe asks whether the app is alive, and whether it can work."""

import azure.functions as func

from functions.answers import answer
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Alive: the process answers. Says nothing about its dependencies, so that an outage of theirs restarts nothing of ours."""
    return answer(200, {"status": "ok"})


@blueprint.route("health/ready", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    """Ready: every dependency answers. 503 names those that do not."""
    from shared.domain.errors import Malformed

    try:
        dependencies = await bootstrap.app().readiness()()
    except Malformed as error:
        return answer(503, {"status": "not ready", "error": str(error)})
    is_ready = all(state == "ok" for state in dependencies.values())
    return answer(200 if is_ready else 503, {"status": "ok" if is_ready else "not ready", "dependencies": dependencies})
