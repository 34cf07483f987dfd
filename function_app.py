"""Sluice, as the Functions worker finds it: one register line a blueprint."""

import azure.functions as func

from functions import (
    acts,
    apply_update,
    bury,
    call_gate,
    clusters,
    dashboard,
    digests,
    fleet,
    gates,
    health,
    history,
    notifications,
    on_azure_event,
    onboard,
    plan_change,
    receive,
    report_commit,
    restore,
    rollouts,
    send_notification,
    slack,
    step_rollout,
    sweeps,
)

app = func.FunctionApp()
app.register_functions(receive.blueprint)
app.register_functions(on_azure_event.blueprint)
app.register_functions(plan_change.blueprint)
app.register_functions(step_rollout.blueprint)
app.register_functions(apply_update.blueprint)
app.register_functions(call_gate.blueprint)
app.register_functions(onboard.blueprint)
app.register_functions(send_notification.blueprint)
app.register_functions(report_commit.blueprint)
app.register_functions(restore.blueprint)
app.register_functions(sweeps.blueprint)
app.register_functions(bury.blueprint)
app.register_functions(rollouts.blueprint)
app.register_functions(fleet.blueprint)
app.register_functions(history.blueprint)
app.register_functions(acts.blueprint)
app.register_functions(clusters.blueprint)
app.register_functions(notifications.blueprint)
app.register_functions(digests.blueprint)
app.register_functions(gates.blueprint)
app.register_functions(slack.blueprint)
app.register_functions(dashboard.blueprint)
app.register_functions(health.blueprint)
