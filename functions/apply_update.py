"""A fluxConfiguration is to be written."""

import azure.functions as func

from functions.queued import put_back_when_unavailable
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="config-updates", connection="AzureWebJobsStorage")
async def apply_update(message: func.QueueMessage, context: func.Context) -> None:
    # The invocation is the holder of the turn: a second delivery of the same message is another one.
    await put_back_when_unavailable("config-updates", message, _apply(message.get_body(), holder=context.invocation_id))


async def _apply(body: bytes, holder: str) -> None:
    from shared.domain.messages import ApplyUpdate, read

    await bootstrap.app().apply()(read(ApplyUpdate, body), holder=holder)
