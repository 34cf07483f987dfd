"""A message failed as often as host.json allows: one function a poison queue."""

import azure.functions as func

from shared import bootstrap

blueprint = func.Blueprint()


async def _bury(queue: str, message: func.QueueMessage) -> None:
    body = message.get_body().decode("utf-8", "replace")
    await bootstrap.app().bury()(queue, message.id or "", body)


@blueprint.queue_trigger("message", queue_name="changes-poison", connection="AzureWebJobsStorage")
async def bury_changes(message: func.QueueMessage) -> None:
    await _bury("changes", message)


@blueprint.queue_trigger("message", queue_name="rollout-steps-poison", connection="AzureWebJobsStorage")
async def bury_rollout_steps(message: func.QueueMessage) -> None:
    await _bury("rollout-steps", message)


@blueprint.queue_trigger("message", queue_name="config-updates-poison", connection="AzureWebJobsStorage")
async def bury_config_updates(message: func.QueueMessage) -> None:
    await _bury("config-updates", message)


@blueprint.queue_trigger("message", queue_name="notifications-poison", connection="AzureWebJobsStorage")
async def bury_notifications(message: func.QueueMessage) -> None:
    await _bury("notifications", message)


@blueprint.queue_trigger("message", queue_name="onboarding-poison", connection="AzureWebJobsStorage")
async def bury_onboarding(message: func.QueueMessage) -> None:
    await _bury("onboarding", message)


@blueprint.queue_trigger("message", queue_name="gate-calls-poison", connection="AzureWebJobsStorage")
async def bury_gate_calls(message: func.QueueMessage) -> None:
    await _bury("gate-calls", message)


@blueprint.queue_trigger("message", queue_name="commit-reports-poison", connection="AzureWebJobsStorage")
async def bury_commit_reports(message: func.QueueMessage) -> None:
    await _bury("commit-reports", message)


@blueprint.queue_trigger("message", queue_name="restorations-poison", connection="AzureWebJobsStorage")
async def bury_restorations(message: func.QueueMessage) -> None:
    await _bury("restorations", message)
