"""What an event carries for programs: one list of names, which CEL expressions see as `event` and the event catalogue describes."""

from datetime import UTC

from shared.domain.announcements import Announcement, Field
from shared.domain.clusters import Traits
from shared.domain.configurations import cluster_of
from shared.domain.record import Record

#: A longer text is cut before an expression sees it: a cluster's message may have 39,000 characters, and `matches` reads them all.
_MOST_CHARACTERS = 1000
#: Places in an ARM id: /subscriptions/ID/resourcegroups/NAME/...
_SUBSCRIPTION, _RESOURCE_GROUP = 2, 4


class Described(Record, frozen=True):
    """One field: what it is where an event does not have it, and what it means."""

    empty: Field
    meaning: str


def _text(meaning: str) -> Described:
    return Described(empty="", meaning=meaning)


def _number(meaning: str) -> Described:
    return Described(empty=0, meaning=meaning)


FIELDS: dict[str, Described] = {
    "type": _text("event type, for example stage.failed"),
    "severity": _text("info or error"),
    "title": _text("what happened, in a few words"),
    "summary": _text("what happened, in a sentence"),
    "at": _text("when it happened: RFC 3339, in UTC"),
    "reason": _text("why, in the words of Azure, Flux or the person who asked"),
    "by": _text("the person who asked; empty: Sluice itself"),
    "count": _number("how many clusters or fluxConfigurations it tells of"),
    "route": _text("name of the route"),
    "rollout": _text("id of the rollout"),
    "stage": _text("name of the stage"),
    "gate": _text("name of the gate"),
    "action": _text("pin or notify-receiver"),
    "source": _text("address of what was pushed"),
    "ref": _text("ref that was pushed, in full"),
    "revision": _text("commit or digest that the rollout moves to"),
    "author": _text("who made the commit"),
    "total": _number("targets of the stage, or of the whole rollout"),
    "compliant": _number("of them compliant"),
    "failed": _number("of them failed"),
    "offline": _number("of them on clusters that are away"),
    "rolledBack": _number("of them back at their previous revision"),
    "cluster": _text("name of the cluster"),
    "clusterId": _text("its ARM id, lower case"),
    "fluxConfiguration": _text("name of the fluxConfiguration"),
    "fluxConfigurationId": _text("its ARM id, lower case"),
    "subscription": _text("subscription of the cluster"),
    "resourceGroup": _text("resource group of the cluster"),
    "location": _text("Azure region of the cluster"),
    "distribution": _text("its distribution of Kubernetes"),
    "kubernetesVersion": _text("its version of Kubernetes"),
    "tags": Described(empty={}, meaning="tags of the cluster, by name"),
    "baseline": _text("name of the baseline"),
    "object": _text("the Flux object: kind namespace/name"),
    "policy": _text("name of the policy assignment"),
    "secret": _text("the secret, as sluice.yaml names it"),
    "queue": _text("name of the queue"),
}

#: What a digest carries beside. No alert chooses digests, so that no expression needs to know them.
DIGEST_FIELDS: dict[str, Described] = {
    "digest": _text("name of the digest"),
    "period": _text("id of the day or week"),
    "from": _text("when it begins: RFC 3339, in UTC"),
    "to": _text("when it ends"),
    "clusters": _number("clusters of the fleet"),
    "clustersConnected": _number("of them connected"),
    "clustersOffline": _number("of them offline or expired"),
    "configurations": _number("fluxConfigurations of the fleet"),
    "configurationsCompliant": _number("of them compliant"),
    "configurationsNonCompliant": _number("of them non-compliant"),
    "driftOpen": _number("fluxConfigurations that have drifted"),
    "approvalsWaiting": _number("gates that wait for people"),
    "rolloutsPaused": _number("rollouts that are paused"),
    "rolloutsRunning": _number("rollouts that are running"),
    "rolloutsSucceeded": _number("rollouts of the period that succeeded"),
    "rolloutsRolledBack": _number("rollouts of the period that went back"),
    "onboardingFailed": _number("clusters that did not come to their baseline"),
    "secretsExpiring": _number("secrets that have expired, or soon will"),
    "secretsUnreadable": _number("secrets that cannot be read"),
    "messagesUndelivered": _number("messages that nobody was told"),
}


def of_cluster(resource_id: str, traits: Traits | None = None) -> dict[str, Field]:
    """The fields of a cluster, or of a fluxConfiguration on it, by ARM id; what is not known of it is left out."""
    cluster_id = cluster_of(resource_id)
    parts = cluster_id.split("/")
    fields: dict[str, Field] = {"cluster": parts[-1], "clusterId": cluster_id}
    if len(parts) > _RESOURCE_GROUP:
        fields |= {"subscription": parts[_SUBSCRIPTION], "resourceGroup": parts[_RESOURCE_GROUP]}
    if cluster_id != resource_id.lower():
        fields |= {"fluxConfiguration": resource_id.rpartition("/")[2], "fluxConfigurationId": resource_id.lower()}
    if traits is not None:
        fields |= {
            "location": traits.location,
            "distribution": traits.distribution,
            "kubernetesVersion": traits.kubernetes_version,
            "tags": traits.tags,
        }
    return fields


def as_event(announcement: Announcement) -> dict[str, Field]:
    """The event with every field of `FIELDS`: what it does not have is empty, so that an expression may ask for each."""
    at = announcement.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if announcement.at else ""
    known: dict[str, Field] = {
        "type": announcement.kind,
        "severity": announcement.severity,
        "title": announcement.title,
        "summary": announcement.summary,
        "at": at,
        "count": 1 if announcement.clusters else 0,
        **announcement.fields,
    }
    return {name: _cut(known.get(name, described.empty)) for name, described in FIELDS.items()}


def _cut(value: Field) -> Field:
    return value[:_MOST_CHARACTERS] if isinstance(value, str) else value
