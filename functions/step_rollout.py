"""A rollout is to be looked at."""

import azure.functions as func

from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="rollout-steps", connection="AzureWebJobsStorage")
async def step_rollout(message: func.QueueMessage) -> None:
    from shared.domain.messages import StepRollout, read

    await bootstrap.app().step()(read(StepRollout, message.get_body()).rollout_id)
