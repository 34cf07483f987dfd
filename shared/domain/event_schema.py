"""The JSON Schema (draft 2020-12) of every event, and an example of each. Made of the catalogue."""

from datetime import UTC, datetime

from shared.domain.announcements import Announcement, ClusterLine, Field
from shared.domain.cloud_events import TYPE_PREFIX, Event, cloud_event
from shared.domain.event_catalogue import EVENTS, EventKind
from shared.domain.event_fields import DIGEST_FIELDS, FIELDS, Described

#: What stands elsewhere in an event.
_ELSEWHERE = frozenset({"type", "severity", "title", "summary", "at"})
_ALL = FIELDS | DIGEST_FIELDS
_GROUP = "/subscriptions/5111ce00-0000-4000-8000-000000000000/resourcegroups/shops"
_CLUSTER = f"{_GROUP}/providers/microsoft.kubernetes/connectedclusters/shop-0007"
_CONFIGURATION = f"{_CLUSTER}/providers/microsoft.kubernetesconfiguration/fluxconfigurations/platform"
_EXAMPLES: dict[str, Field] = {
    "reason": "HealthCheckFailed: timeout waiting for Deployment/shop/till",
    "route": "platform",
    "rollout": "3f2a9c41d07b4e6a8c5d1e2f3a4b5c6d",
    "stage": "canary",
    "action": "pin",
    "source": "github.com/contoso/platform",
    "ref": "refs/heads/main",
    "revision": "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "author": "Robin",
    "total": 12,
    "compliant": 11,
    "failed": 1,
    "cluster": "shop-0007",
    "clusterId": _CLUSTER,
    "fluxConfiguration": "platform",
    "fluxConfigurationId": _CONFIGURATION,
    "subscription": "5111ce00-0000-4000-8000-000000000000",
    "resourceGroup": "shops",
    "location": "westeurope",
    "distribution": "aks_workload",
    "kubernetesVersion": "1.33.1",
    "tags": {"ring": "canary"},
    "baseline": "shops",
    "object": "Kustomization flux-system/apps",
    "policy": "keep-flux",
    "secret": "kv://sluice/github-platform",
    "queue": "rollout-steps",
    "digest": "fleet",
    "period": "2026-03-02",
    "from": "2026-03-01T07:00:00+00:00",
    "to": "2026-03-02T07:00:00+00:00",
}


def fields_for_programs() -> dict[str, Described]:
    """Those of `data.fields`."""
    return {name: field for name, field in _ALL.items() if name not in _ELSEWHERE}


def type_of(field: Described) -> str:
    """As JSON Schema names it."""
    return {str: "string", int: "integer"}.get(type(field.empty), "object")


def example(kind: str) -> Event:
    """An event of the kind, as programs get it."""
    known = EVENTS[kind]
    about = {name: _EXAMPLES.get(name, _ALL[name].empty) for name in (*known.fields, *known.of_one)}
    if kind.startswith("rollout."):
        about["stage"] = ""
    line = ClusterLine(name="shop-0007", reason=str(about.get("reason", "")), id=str(about.get("clusterId", "")))
    return cloud_event(
        Announcement(
            id=f"example.{kind}",
            kind=kind,
            severity="error" if known.severity != "info" else "info",
            title=known.title,
            summary=f"{known.meaning}.",
            clusters=(line,) if known.clusters else (),
            at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
            subject=str(about.get("rollout") or about.get("fluxConfigurationId") or about.get("clusterId") or ""),
            fields=about,
        ),
        "https://sluice.example",
    )


def events_schema() -> dict[str, object]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event of Sluice, in the JSON format of CloudEvents 1.0",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "datacontenttype", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "pattern": "^evt_[0-9a-f]{32}$", "description": "the same for every attempt and in every channel"},
            "source": {"type": "string", "minLength": 1, "description": "the address of the app that tells it"},
            "type": {"enum": [f"{TYPE_PREFIX}{kind}" for kind in EVENTS]},
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
    data = {"properties": {"severity": {"enum": severities}, "fields": {"required": list(known.fields)}}}
    return {
        "if": {"properties": {"type": {"const": f"{TYPE_PREFIX}{kind}"}}},
        "then": {"description": known.meaning, "properties": {"data": data}, "examples": [example(kind)]},
    }


def _data_schema() -> dict[str, object]:
    text = {"type": "string"}
    pair = {"type": "object", "required": ["label", "value"], "properties": {"label": text, "value": text}}
    cluster = {
        "type": "object",
        "required": ["name", "reason"],
        "properties": {"name": text, "reason": text, "id": {"type": "string", "description": "ARM id of the cluster or fluxConfiguration"}},
    }
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
            "properties": {name: _field_schema(field) for name, field in fields_for_programs().items()},
            "additionalProperties": {"type": ["string", "integer", "object"]},
        },
    }
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": True}


def _field_schema(field: Described) -> dict[str, object]:
    schema: dict[str, object] = {"type": type_of(field), "description": field.meaning}
    return {**schema, "additionalProperties": {"type": "string"}} if schema["type"] == "object" else schema
