"""Every event that the app tells, by kind: what it means, and which fields (event_fields.py) programs can read in it.

`sluice events` prints docs/events.md and docs/events.schema.json from here. A test looks for kinds in the code that are not here.
"""

from typing import Literal, NamedTuple

from shared.domain.announcements import Severity
from shared.domain.event_fields import DIGEST_FIELDS

Severities = Severity | Literal["either"]

_ROLLOUT = ("rollout", "route", "stage", "action", "source", "ref", "revision", "author")
_COUNTS = ("total", "compliant", "failed", "offline", "rolledBack")
_CLUSTER = ("cluster", "clusterId", "subscription", "resourceGroup")
_TRAITS = ("location", "distribution", "kubernetesVersion", "tags")
_CONFIGURATION = ("fluxConfiguration", "fluxConfigurationId")


class EventKind(NamedTuple):
    """What is told by events of one kind."""

    meaning: str
    title: str  #: an example
    severity: Severities = "info"
    fields: tuple[str, ...] = ()  #: those that it always has
    of_one: tuple[str, ...] = ()  #: those that it has as well where it tells of a single cluster, as far as they are known
    clusters: bool = False  #: whether it names clusters


def _rollout(meaning: str, title: str, severity: Severities = "info", *, clusters: bool = False) -> EventKind:
    return EventKind(meaning, title, severity, (*_ROLLOUT, *_COUNTS, "gate", "by", "reason"), clusters=clusters)


def _target(meaning: str, title: str, severity: Severity = "info") -> EventKind:
    return EventKind(meaning, title, severity, _ROLLOUT, (*_COUNTS, *_CLUSTER, *_TRAITS, *_CONFIGURATION, "reason"), clusters=True)


def _cluster(meaning: str, title: str, severity: Severity = "info", always: str = "route") -> EventKind:
    return EventKind(meaning, title, severity, (always,), (*_CLUSTER, *_TRAITS, "reason"), clusters=True)


def _configuration(meaning: str, title: str, severity: Severity = "info") -> EventKind:
    return EventKind(meaning, title, severity, ("route",), (*_CLUSTER, *_TRAITS, *_CONFIGURATION, "reason"), clusters=True)


def _digest(meaning: str, title: str) -> EventKind:
    return EventKind(meaning, title, fields=tuple(DIGEST_FIELDS), clusters=True)


EVENTS = {
    "rollout.started": _rollout("A push or an artifact begins to move clusters", "Rollout started: platform"),
    "rollout.succeeded": _rollout("All stages are done", "Rollout finished: platform"),
    "rollout.superseded": _rollout("A newer push on the route has taken over", "Rollout superseded: platform"),
    "rollout.paused": _rollout("Someone has paused the rollout", "Rollout paused: platform"),
    "rollout.resumed": _rollout("Someone lets a paused rollout go on", "Rollout resumed: platform"),
    "rollout.aborted": _rollout("The rollout was ended: by someone, or at a gate", "Rollout aborted: platform", "error"),
    "rollout.retried": _rollout("Failed clusters are sent the update again", "Failed clusters are tried again: platform"),
    "rollout.rolling-back": _rollout("Clusters go back to what they had before", "Rollout goes back: platform", "error"),
    "rollout.rolled-back": _rollout(
        "Its clusters are back at what they had before, or cannot be brought back", "Rollout rolled back: platform", "error"
    ),
    "stage.succeeded": _rollout(
        "A stage is done; an error where clusters failed within what the strategy tolerates",
        "Stage done: platform / canary",
        "either",
        clusters=True,
    ),
    "stage.failed": _rollout(
        "More clusters failed than the strategy tolerates: the rollout pauses, or goes back",
        "Stage failed: platform / canary",
        "error",
        clusters=True,
    ),
    "target.failed": _target("Clusters failed in a rollout, in its course or later", "1 cluster failed: platform", "error"),
    "target.recovered": _target(
        "Clusters that had failed, or were not compliant before, are well again, at the new revision or the one before",
        "1 cluster recovered: platform",
    ),
    "target.compliant": _target("Clusters have reached the revision", "1 cluster is compliant: platform"),
    "gate.waiting": _rollout("A stage waits for an answer", "Waiting at a gate: platform / prod"),
    "gate.approved": _rollout("A gate is open", "Gate approved: platform / prod"),
    "gate.rejected": _rollout(
        "Someone, or a service, has said no: the rollout is aborted", "Gate rejected, rollout aborted: platform / prod", "error"
    ),
    "gate.expired": _rollout("Nobody has answered in time: the rollout pauses", "Gate expired, rollout paused: platform / prod", "error"),
    "cluster.found": _cluster("Clusters are new in the fleet", "New in the fleet: 1 cluster"),
    "cluster.gone": _cluster("Clusters are no longer in Azure", "Gone from Azure: 1 cluster"),
    "cluster.offline": _cluster("Clusters have lost their connection to Azure", "Offline: 1 cluster"),
    "cluster.expired": _cluster("Clusters were away for so long that their certificate expired", "Certificate expired: 1 cluster", "error"),
    "cluster.connected": _cluster("Clusters are connected again", "Connected again: 1 cluster"),
    "cluster.onboarded": _cluster("Clusters have come to their baseline", "1 cluster reached baseline shops", always="baseline"),
    "onboarding.failed": _cluster("Clusters did not come to their baseline", "1 cluster did not reach baseline shops", "error", "baseline"),
    "configuration.non-compliant": _configuration(
        "fluxConfigurations have become Non-Compliant", "Non-Compliant: 1 fluxConfiguration", "error"
    ),
    "configuration.compliant": _configuration("fluxConfigurations are Compliant again", "Compliant again: 1 fluxConfiguration"),
    "configuration.gone": _configuration("fluxConfigurations are no longer in Azure", "Gone from Azure: 1 fluxConfiguration"),
    "extension.degraded": _cluster("The Flux extension has failed", "Flux extension degraded: 1 cluster", "error"),
    "extension.missing": _cluster("There are fluxConfigurations and no Flux extension", "Flux extension missing: 1 cluster", "error"),
    "extension.healthy": _cluster("The Flux extension is well again", "Flux extension healthy again: 1 cluster"),
    "flux.unsupported": _cluster("The Flux extension's version is out of support", "Flux version out of support: 1 cluster"),
    "flux.supported": _cluster("The Flux extension's version is supported again", "Flux version supported again: 1 cluster"),
    "flux.alert": EventKind(
        "A Flux object fails outside every rollout",
        "Flux: Kustomization flux-system/apps fails",
        "error",
        ("object", "reason"),
        (*_CLUSTER, "revision"),
        clusters=True,
    ),
    "policy.non-compliant": _cluster(
        "Clusters break an assignment of Azure Policy, by a look at the fleet", "Does not comply with Azure Policy: 1 cluster"
    ),
    "policy.compliant": _cluster("Clusters keep every assignment of Azure Policy again", "Complies with Azure Policy again: 1 cluster"),
    "policy.state": EventKind(
        "Azure Policy itself has told that a cluster breaks an assignment (error) or keeps it again (info)",
        "Azure Policy: shop-0007 is not compliant",
        "either",
        ("policy", "reason"),
        _CLUSTER,
        clusters=True,
    ),
    "drift.found": _configuration("fluxConfigurations are not what Sluice last asked for", "Drift: 1 fluxConfiguration", "error"),
    "drift.remediated": _configuration("Sluice has put drifted fluxConfigurations back", "Drift put back: 1 fluxConfiguration"),
    "drift.resolved": _configuration(
        "Drifted fluxConfigurations are again what Sluice asked for, by themselves or by somebody", "Drift resolved: 1 fluxConfiguration"
    ),
    "secret.near-expiry": EventKind(
        "A secret that sluice.yaml refers to expires soon", "Secret github-platform expires soon", "error", ("secret", "reason")
    ),
    "secret.expired": EventKind(
        "A secret that sluice.yaml refers to has expired", "Secret github-platform has expired", "error", ("secret", "reason")
    ),
    "config.refused": EventKind(
        "A new sluice.yaml is broken; the last good one stays in force", "sluice.yaml is refused", "error", ("reason",)
    ),
    "digest.daily": _digest("How the fleet is, once a day", "Daily digest fleet: all is well"),
    "digest.weekly": _digest("How the fleet is, once a week", "Weekly digest fleet: all is well"),
    "message.buried": EventKind(
        "A message failed too often and is recorded", "A message failed in rollout-steps", "error", ("queue",), clusters=True
    ),
}
