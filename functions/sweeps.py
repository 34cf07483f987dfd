"""Timers: what no message will find."""

import azure.functions as func

from shared import bootstrap

blueprint = func.Blueprint()


@blueprint.timer_trigger("timer", schedule="%SWEEP_ROLLOUTS_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def sweep_rollouts(timer: func.TimerRequest) -> None:
    """Looks at every rollout that can still change, and for changes that nobody planned: messages get lost, instances die.

    Sends the digests that are due.
    """
    await bootstrap.app().step().sweep()
    plan = await bootstrap.app().plan()
    await plan.sweep()
    watch_config = await bootstrap.app().watch_config()
    await watch_config()
    remind = await bootstrap.app().remind()
    await remind()
    send_digests = await bootstrap.app().send_digests()
    await send_digests()


@blueprint.timer_trigger("timer", schedule="%SWEEP_CLUSTERS_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def sweep_clusters(timer: func.TimerRequest) -> None:
    """Looks for clusters that are not on their way to their baseline though they should be."""
    sweep = await bootstrap.app().sweep_clusters()
    await sweep()


@blueprint.timer_trigger("timer", schedule="%SWEEP_COMPLIANCE_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def sweep_compliance(timer: func.TimerRequest) -> None:
    """Asks Resource Graph what the targets that rollouts wait for are now."""
    await bootstrap.app().observe()()


@blueprint.timer_trigger("timer", schedule="%EXPORT_LOGS_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def export_logs(timer: func.TimerRequest) -> None:
    """Tells Azure Monitor what was written since the last time, where there is a place for it."""
    if (export := bootstrap.app().export_logs()) is not None:
        await export()


@blueprint.timer_trigger("timer", schedule="%SWEEP_FLEET_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def sweep_fleet(timer: func.TimerRequest, context: func.Context) -> None:
    """Asks Resource Graph what the whole fleet is now. A timer of its own, so that no rollout waits for it."""
    sweep = await bootstrap.app().sweep_fleet()
    await sweep(holder=context.invocation_id)
