"""A cluster is to be brought to its baseline."""

import azure.functions as func

from functions.queued import put_back_when_unavailable
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="onboarding", connection="AzureWebJobsStorage")
async def onboard(message: func.QueueMessage) -> None:
    await put_back_when_unavailable("onboarding", message, _onboard(message.get_body()))


async def _onboard(body: bytes) -> None:
    from shared.domain.messages import OnboardCluster, VisitCluster, read

    use_case = await bootstrap.app().onboard()
    match read((VisitCluster, OnboardCluster), body):
        case VisitCluster() as visit:
            await use_case(visit)
        case OnboardCluster() as news:
            await use_case(news)
