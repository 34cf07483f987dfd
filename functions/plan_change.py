"""A recorded change waits to be planned."""

import azure.functions as func

from functions.queued import put_back_when_unavailable
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="changes", connection="AzureWebJobsStorage")
async def plan_change(message: func.QueueMessage) -> None:
    await put_back_when_unavailable("changes", message, _plan(message.get_body()))


async def _plan(body: bytes) -> None:
    from shared.domain.messages import PlanChange, read

    plan = await bootstrap.app().plan()
    await plan(read(PlanChange, body))
