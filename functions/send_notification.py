"""People are to be told."""

import azure.functions as func

from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="notifications", connection="AzureWebJobsStorage")
async def send_notification(message: func.QueueMessage) -> None:
    from shared.domain.messages import Deliver, Notify, read

    told = read((Notify, Deliver), message.get_body())
    if isinstance(told, Notify):
        await bootstrap.app().tell_event()(told)
    else:
        await bootstrap.app().post()(told)
