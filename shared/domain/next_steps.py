"""What people can do about what they are told, in a sentence. Most news asks for nothing."""

_AT_A_FAILURE = "Read the reasons below, then fix them with a new commit, or retry, resume or roll back the rollout."

_STEPS = {
    "stage.failed": _AT_A_FAILURE,
    "target.failed": _AT_A_FAILURE,
    "rollout.paused": "Nothing moves until someone resumes, rolls back or aborts it.",
    "rollout.aborted": "Clusters that have moved stay as they are. Push a new commit, or roll the rollout back.",
    "rollout.rolling-back": "Wait for it to end, then fix the commit. What the clusters had before is written to them again.",
    "rollout.rolled-back": "Fix the commit and push it: the next push starts a new rollout.",
    "gate.waiting": "Look at what the stages before made of it, then approve or reject.",
    "gate.rejected": "Push a commit that answers the reason: it starts a new rollout.",
    "gate.expired": "Resume the rollout: the gate asks again.",
    "cluster.offline": "Look at the network and at the Arc agents. Rollouts go on meanwhile; who comes back catches up.",
    "cluster.expired": "Connect to Azure Arc again: the certificate has run out, and nothing reaches the cluster.",
    "configuration.non-compliant": "Read Flux's own reason below, then fix the source or the cluster.",
    "configuration.gone": "Where that was not meant, Azure's activity log says who deleted it; a baseline makes it again.",
    "drift.found": "Find out who changed it and why. Where the route is to remediate drift, it is put back without you.",
    "extension.degraded": "Look at the Flux extension in the Azure portal, and at the pods in flux-system on the cluster.",
    "extension.missing": "Give such clusters a baseline, or install the Flux extension: without it nothing is updated.",
    "flux.unsupported": "Update the Flux extension: versions out of support get no fixes.",
    "policy.non-compliant": "Open the assignment in Azure Policy: it says what is missing.",
    "policy.state": "Open the assignment in Azure Policy: it says what is missing.",
    "flux.alert": "Read Flux's own words below, then fix the source or the cluster.",
    "onboarding.failed": "Read the reasons below. Sluice tries again when the cluster or its baseline changes.",
    "secret.expired": "Put a new version into the vault under the same name: Sluice reads it by itself.",
    "secret.near-expiry": "Put a new version into the vault under the same name: Sluice reads it by itself.",
    "config.refused": "Run `sluice validate` on the file: it names the line of every mistake.",
    "message.buried": "Find the cause in the logs, then put the message back with the command above.",
}


def next_step(kind: str) -> str:
    """For an event type; "" where there is nothing to be done."""
    return _STEPS.get(kind, "")
