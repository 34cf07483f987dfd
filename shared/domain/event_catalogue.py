"""Every event that the app tells, by kind: what it means, and what programs can read in it.

`sluice events` prints docs/events.md and docs/events.schema.json from here. A test looks for kinds in the code that are not here.
"""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from shared.domain.announcements import Announcement, ClusterLine, Severity
from shared.domain.cloud_events import Event, cloud_event

_ROLLOUT = ("rollout", "route", "revision")
_STAGE = (*_ROLLOUT, "stage")


class Field(NamedTuple):
    """A field of `data.fields`."""

    type: Literal["string", "integer"]
    meaning: str
    example: str | int


class EventKind(NamedTuple):
    """What is told by events of one kind."""

    meaning: str
    title: str  #: an example
    severity: Severity | Literal["either"] = "info"
    fields: tuple[str, ...] = ()  #: of FIELDS, those that it always has
    clusters: bool = False  #: whether it names clusters


FIELDS = {
    "rollout": Field("string", "the rollout's id", "3f2a9c41d07b4e6a8c5d1e2f3a4b5c6d"),
    "route": Field("string", "the route in sluice.yaml", "platform"),
    "stage": Field("string", "the stage's name; empty where the event is about the whole rollout", "canary"),
    "revision": Field("string", "the commit or digest that the rollout moves to", "9fceb02d0ae598e95dc970b74767f19372d61af8"),
}

EVENTS = {
    "rollout.started": EventKind("A push or an artifact begins to move clusters", "Rollout started: platform", fields=_STAGE),
    "rollout.succeeded": EventKind("All stages are done", "Rollout finished: platform", fields=_STAGE),
    "rollout.superseded": EventKind("A newer push on the route has taken over", "Rollout superseded: platform", fields=_STAGE),
    "rollout.paused": EventKind("Someone has paused the rollout", "Rollout paused: platform", fields=_STAGE),
    "rollout.resumed": EventKind("Someone lets a paused rollout go on", "Rollout resumed: platform", fields=_STAGE),
    "rollout.aborted": EventKind("The rollout was ended: by someone, or at a gate", "Rollout aborted: platform", "error", _STAGE),
    "rollout.retried": EventKind("Failed clusters are sent the update again", "Failed clusters are tried again: platform", fields=_STAGE),
    "rollout.rolling-back": EventKind("Clusters go back to what they had before", "Rollout goes back: platform", "error", _STAGE),
    "rollout.rolled-back": EventKind(
        "Its clusters are back at what they had before, or cannot be brought back", "Rollout rolled back: platform", "error", _STAGE
    ),
    "stage.succeeded": EventKind(
        "A stage is done; an error where clusters failed within what the strategy tolerates",
        "Stage done: platform / canary",
        "either",
        _STAGE,
        clusters=True,
    ),
    "stage.failed": EventKind(
        "More clusters failed than the strategy tolerates: the rollout pauses, or goes back",
        "Stage failed: platform / canary",
        "error",
        _STAGE,
        clusters=True,
    ),
    "target.failed": EventKind(
        "Clusters failed after their stage had closed", "Cluster failed late: platform / canary", "error", _STAGE, clusters=True
    ),
    "gate.waiting": EventKind("A stage waits for an answer", "Waiting at a gate: platform / prod", fields=_STAGE),
    "gate.approved": EventKind("A gate is open", "Gate approved: platform / prod", fields=_STAGE),
    "gate.rejected": EventKind(
        "Someone, or a service, has said no: the rollout is aborted", "Gate rejected, rollout aborted: platform / prod", "error", _STAGE
    ),
    "gate.expired": EventKind(
        "Nobody has answered in time: the rollout pauses", "Gate expired, rollout paused: platform / prod", "error", _STAGE
    ),
    "cluster.found": EventKind("Clusters are new in the fleet", "New in the fleet: 2 clusters", clusters=True),
    "cluster.gone": EventKind("Clusters are no longer in Azure", "Gone from Azure: 1 cluster", clusters=True),
    "cluster.offline": EventKind("Clusters have lost their connection to Azure", "Offline: 3 clusters", clusters=True),
    "cluster.expired": EventKind(
        "Clusters were away for so long that their certificate expired", "Certificate expired: 1 cluster", "error", clusters=True
    ),
    "cluster.connected": EventKind("Clusters are connected again", "Connected again: 3 clusters", clusters=True),
    "cluster.onboarded": EventKind("Clusters have come to their baseline", "1 cluster reached baseline shops", clusters=True),
    "onboarding.failed": EventKind(
        "Clusters did not come to their baseline", "1 cluster did not reach baseline shops", "error", clusters=True
    ),
    "configuration.non-compliant": EventKind(
        "fluxConfigurations have become Non-Compliant", "Non-Compliant: 4 fluxConfigurations", "error", clusters=True
    ),
    "configuration.compliant": EventKind("fluxConfigurations are Compliant again", "Compliant again: 4 fluxConfigurations", clusters=True),
    "configuration.gone": EventKind("fluxConfigurations are no longer in Azure", "Gone from Azure: 1 fluxConfiguration", clusters=True),
    "extension.degraded": EventKind("The Flux extension has failed", "Flux extension degraded: 1 cluster", "error", clusters=True),
    "extension.missing": EventKind(
        "There are fluxConfigurations and no Flux extension", "Flux extension missing: 1 cluster", "error", clusters=True
    ),
    "extension.healthy": EventKind("The Flux extension is well again", "Flux extension healthy again: 1 cluster", clusters=True),
    "flux.unsupported": EventKind(
        "The Flux extension's version is out of support", "Flux version out of support: 7 clusters", clusters=True
    ),
    "flux.supported": EventKind(
        "The Flux extension's version is supported again", "Flux version supported again: 7 clusters", clusters=True
    ),
    "flux.alert": EventKind(
        "A Flux object fails outside every rollout", "Flux: Kustomization flux-system/apps fails", "error", clusters=True
    ),
    "policy.non-compliant": EventKind(
        "Clusters break an assignment of Azure Policy, by a look at the fleet",
        "Does not comply with Azure Policy: 2 clusters",
        clusters=True,
    ),
    "policy.compliant": EventKind(
        "Clusters keep every assignment of Azure Policy again", "Complies with Azure Policy again: 2 clusters", clusters=True
    ),
    "policy.state": EventKind(
        "Azure Policy itself has told that a cluster breaks an assignment (error) or keeps it again (info)",
        "Azure Policy: shop-0007 is not compliant",
        "either",
    ),
    "drift.found": EventKind(
        "fluxConfigurations are not what Sluice last asked for", "Drift: 2 fluxConfigurations", "error", clusters=True
    ),
    "drift.remediated": EventKind("Sluice has put drifted fluxConfigurations back", "Drift put back: 2 fluxConfigurations", clusters=True),
    "drift.resolved": EventKind(
        "Drifted fluxConfigurations are again what Sluice asked for, by themselves or by somebody",
        "Drift resolved: 2 fluxConfigurations",
        clusters=True,
    ),
    "secret.near-expiry": EventKind("A secret that sluice.yaml refers to expires soon", "Secret github-platform expires soon", "error"),
    "secret.expired": EventKind("A secret that sluice.yaml refers to has expired", "Secret github-platform has expired", "error"),
    "config.refused": EventKind("A new sluice.yaml is broken; the last good one stays in force", "sluice.yaml is refused", "error"),
    "message.buried": EventKind("A message failed too often and is recorded", "A message failed in rollout-steps", "error"),
}


def example(kind: str) -> Event:
    """An event of the kind, as programs get it."""
    known = EVENTS[kind]
    about = {name: FIELDS[name].example for name in known.fields}
    if kind.startswith("rollout."):
        about["stage"] = ""
    return cloud_event(
        Announcement(
            id=f"example.{kind}",
            kind=kind,
            severity="error" if known.severity != "info" else "info",
            title=known.title,
            summary=f"{known.meaning}.",
            clusters=(ClusterLine(name="shop-0007", reason="why it is named"),) if known.clusters else (),
            at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
            subject=str(about.get("rollout", "")),
            fields=about,
        ),
        "https://sluice.example",
    )


def events_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of every event."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event of Sluice, in the JSON format of CloudEvents 1.0",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "datacontenttype", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "pattern": "^evt_[0-9a-f]{32}$", "description": "the same for every attempt and in every channel"},
            "source": {"type": "string", "minLength": 1, "description": "the address of the app that tells it"},
            "type": {"enum": [f"sluice.{kind}" for kind in EVENTS]},
            "subject": {"type": "string", "minLength": 1, "description": "where it happened: rollouts/ID/stages/NAME"},
            "time": {"type": "string", "format": "date-time", "description": "when it happened, in UTC"},
            "datacontenttype": {"const": "application/json"},
            "data": {"$ref": "#/$defs/data"},
        },
        "additionalProperties": True,
        "allOf": [_rule(kind, known) for kind, known in EVENTS.items()],
        "$defs": {"data": _data_schema()},
    }


def _rule(kind: str, known: EventKind) -> dict[str, object]:
    severities = ["info", "error"] if known.severity == "either" else [known.severity]
    fields: dict[str, object] = {"properties": {name: {"type": FIELDS[name].type} for name in known.fields}, "required": list(known.fields)}
    data: dict[str, object] = {"severity": {"enum": severities}, **({"fields": fields} if known.fields else {})}
    return {
        "if": {"properties": {"type": {"const": f"sluice.{kind}"}}},
        "then": {"description": known.meaning, "properties": {"data": {"properties": data}}, "examples": [example(kind)]},
    }


def _data_schema() -> dict[str, object]:
    text = {"type": "string"}
    pair = {"type": "object", "required": ["label", "value"], "properties": {"label": text, "value": text}}
    cluster = {"type": "object", "required": ["name", "reason"], "properties": {"name": text, "reason": text}}
    link = {"type": "object", "required": ["text", "url"], "properties": {"text": text, "url": {"type": "string", "pattern": "^https?://"}}}
    properties: dict[str, object] = {
        "severity": {"enum": ["info", "error"]},
        "title": {"type": "string", "description": "one line for people; may change, so match `type` and `fields`"},
        "summary": text,
        "nextStep": {"type": "string", "description": "what to do about it"},
        "thread": {"type": "string", "description": "the same for all that is told of one thing; empty where an event stands alone"},
        "facts": {"type": "array", "items": pair, "description": "for people"},
        "clusters": {"type": "array", "items": cluster, "description": "the first ones that it is about, and why"},
        "moreClusters": {"type": "integer", "minimum": 0, "description": "how many more there are than `clusters` names"},
        "links": {"type": "array", "items": link},
        "fields": {
            "type": "object",
            "properties": {name: {"type": field.type, "description": field.meaning} for name, field in FIELDS.items()},
            "additionalProperties": {"type": ["string", "integer"]},
        },
    }
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": True}
