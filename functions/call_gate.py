"""The service behind a webhook gate is to be asked."""

import azure.functions as func

from functions.queued import put_back_when_unavailable
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="gate-calls", connection="AzureWebJobsStorage")
async def call_gate(message: func.QueueMessage) -> None:
    await put_back_when_unavailable("gate-calls", message, _call(message.get_body()))


async def _call(body: bytes) -> None:
    from shared.domain.messages import CallGate, read

    await bootstrap.app().call_gate()(read(CallGate, body))
