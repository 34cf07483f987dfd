"""A rollout is to be looked at."""

import azure.functions as func

from functions.queued import put_back_when_unavailable
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="rollout-steps", connection="AzureWebJobsStorage")
async def step_rollout(message: func.QueueMessage) -> None:
    await put_back_when_unavailable("rollout-steps", message, _step(message.get_body()))


async def _step(body: bytes) -> None:
    from shared.domain.messages import StepRollout, read

    await bootstrap.app().step()(read(StepRollout, body).rollout_id)
