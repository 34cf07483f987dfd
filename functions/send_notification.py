"""People are to be told."""

import azure.functions as func

from functions.queued import put_back_when_unavailable
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="notifications", connection="AzureWebJobsStorage")
async def send_notification(message: func.QueueMessage) -> None:
    await put_back_when_unavailable("notifications", message, _send(message.get_body()))


async def _send(body: bytes) -> None:
    from shared.domain.messages import Deliver, Notify, ShowRollout, TellTargets, read

    match read((Notify, Deliver, TellTargets, ShowRollout), body):
        case Notify() as event:
            tell = await bootstrap.app().tell_event()
            await tell(event)
        case TellTargets() as ended:
            tell_targets = await bootstrap.app().tell_targets()
            await tell_targets(ended)
        case Deliver() as delivery:
            post = await bootstrap.app().post()
            await post(delivery)
        case ShowRollout() as moved:
            show = await bootstrap.app().show()
            await show(moved)
