"""A fluxConfiguration is to be written."""

import azure.functions as func

from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="config-updates", connection="AzureWebJobsStorage")
async def apply_update(message: func.QueueMessage, context: func.Context) -> None:
    from shared.domain.messages import ApplyUpdate, read

    # The invocation is the holder of the turn: a second delivery of the same message is another one.
    await bootstrap.app().apply()(read(ApplyUpdate, message.get_body()), holder=context.invocation_id)
