"""The samples under tests/payloads/azure_events/<family>/<case>/, as the Functions library hands them to a function."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import azure.functions as func
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum

Schema = Literal["EventGridSchema", "CloudEventSchemaV1_0"]
SCHEMAS: tuple[Schema, ...] = ("EventGridSchema", "CloudEventSchemaV1_0")
EVENTS = Path(__file__).parents[2] / "payloads" / "azure_events"


@dataclass(frozen=True)
class Sample:
    name: str
    body: dict[str, Any]  #: in Event Grid's schema
    expected: dict[str, Any] | None

    def as_delivered(self, schema: Schema) -> func.EventGridEvent | func.CloudEvent:
        body = self.body if schema == "EventGridSchema" else as_cloud_event(self.body)
        return delivered(body)


def as_cloud_event(body: dict[str, Any]) -> dict[str, Any]:
    """learn.microsoft.com/azure/event-grid/cloud-event-schema."""
    names = {"id": "id", "topic": "source", "subject": "subject", "eventType": "type", "eventTime": "time", "data": "data"}
    return {"specversion": "1.0", **{cloud: body[name] for name, cloud in names.items() if name in body}}


def delivered(body: dict[str, Any]) -> func.EventGridEvent | func.CloudEvent:
    """What the worker makes of an event, by the library's own converter."""
    return EventGridEventInConverter.decode(Datum(json.dumps(body), "json"), trigger_metadata={})


def _read(folder: Path) -> Sample:
    event, expected = (json.loads((folder / name).read_text()) for name in ("event.json", "expected.json"))
    return Sample(str(folder.relative_to(EVENTS)), event, expected)


SAMPLES = [_read(path.parent) for path in sorted(EVENTS.glob("*/*/event.json"))]
