"""People are to be told."""

import azure.functions as func

from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="notifications", connection="AzureWebJobsStorage")
async def send_notification(message: func.QueueMessage) -> None:
    from shared.domain.messages import Deliver, Notify, read

    match read((Notify, Deliver), message.get_body()):
        case Notify() as event:
            tell = await bootstrap.app().tell_event()
            await tell(event)
        case Deliver() as delivery:
            post = await bootstrap.app().post()
            await post(delivery)
