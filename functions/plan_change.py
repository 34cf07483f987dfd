"""A recorded change waits to be planned."""

import azure.functions as func

from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="changes", connection="AzureWebJobsStorage")
async def plan_change(message: func.QueueMessage) -> None:
    from shared.domain.messages import PlanChange, read

    plan = await bootstrap.app().plan()
    await plan(read(PlanChange, message.get_body()))
