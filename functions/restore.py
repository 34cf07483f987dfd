"""A fluxConfiguration that others have changed is to be put back."""

import azure.functions as func

from functions.queued import put_back_when_unavailable
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="restorations", connection="AzureWebJobsStorage")
async def restore_configuration(message: func.QueueMessage, context: func.Context) -> None:
    # The invocation is the holder of the turn: a second delivery of the same message is another one.
    await put_back_when_unavailable("restorations", message, _restore(message.get_body(), holder=context.invocation_id))


async def _restore(body: bytes, holder: str) -> None:
    from shared.domain.messages import RestoreConfiguration, read

    await bootstrap.app().restore()(read(RestoreConfiguration, body), holder=holder)
