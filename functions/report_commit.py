"""A commit is to be told how far its rollout is."""

import azure.functions as func

from functions.queued import put_back_when_unavailable
from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.queue_trigger("message", queue_name="commit-reports", connection="AzureWebJobsStorage")
async def report_commit(message: func.QueueMessage) -> None:
    await put_back_when_unavailable("commit-reports", message, _report(message.get_body()))


async def _report(body: bytes) -> None:
    from shared.domain.messages import ReportCommit, read

    report = await bootstrap.app().report_commit()
    await report(read(ReportCommit, body))
