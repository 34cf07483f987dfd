"""An Event Grid custom topic: takes events in Event Grid's and CloudEvents' schema and keeps them.

https://learn.microsoft.com/azure/event-grid/post-to-custom-topic, https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

import hmac
import json
import re
from datetime import datetime
from typing import Any

from aiohttp import web

from local.azure.answers import AzureError, read_json
from local.azure.gate import EVENT_GRID_AUDIENCES, Gate
from local.azure.journal import Journal

MAX_BYTES = 1024 * 1024  # of a request, and of an event
CHANNEL = "eventgrid"
EVENT_GRID_FIELDS = ("id", "subject", "data", "eventType", "eventTime", "dataVersion")
CLOUD_EVENT_FIELDS = ("id", "source", "type", "specversion")
#: A body that is one CloudEvent, and one that is a list of them.
CLOUD_EVENT, CLOUD_EVENTS = "application/cloudevents+json", "application/cloudevents-batch+json"
# Attribute names of CloudEvents 1.0: lower-case letters and digits, and in JSON data_base64 beside them.
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}|data_base64")
_TEXTS = ("subject", "datacontenttype", "dataschema")


class EventGridTopics:
    def __init__(self, gate: Gate, journal: Journal) -> None:
        self._gate = gate
        self._journal = journal
        self.keys: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/topics/{name}/api/events", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """All of a request's events, or none of them."""
        topic = request.match_info["name"]
        self._admit(request, topic)
        if not request.query.get("api-version"):
            raise AzureError(400, "BadRequest", "The api-version query parameter (?api-version=2018-01-01) is required.")
        if len(await request.read()) > MAX_BYTES:
            raise AzureError(413, "PayloadTooLarge", f"The maximum size of a request is {MAX_BYTES} bytes.")
        schema = "CloudEventV10" if request.content_type in (CLOUD_EVENT, CLOUD_EVENTS) else "EventGridEvent"
        for event in _checked(await read_json(request), request.content_type):
            self._journal.keep(CHANNEL, topic=topic, schema=schema, body=event)
        return web.Response(status=200)

    def _admit(self, request: web.Request, topic: str) -> None:
        """By the topic's key, any while none is set for it, or by a token."""
        given = request.headers.get("aeg-sas-key")
        if given is None:
            self._gate.admit(request, EVENT_GRID_AUDIENCES)
            return
        expected = self.keys.get(topic, given)
        if not given or not hmac.compare_digest(given.encode(), expected.encode()):
            raise AzureError(401, "Unauthorized", "The request authorization key is not authorized for this topic.")


def _checked(body: Any, content_type: str) -> list[dict[str, Any]]:
    if content_type == CLOUD_EVENT:
        body = [body]
    if not isinstance(body, list) or not body:
        raise _bad("the body is a list of events")
    for event in body:
        if not isinstance(event, dict):
            raise _bad("an event is an object")
        if content_type in (CLOUD_EVENT, CLOUD_EVENTS):
            _check_cloud_event(event)
        else:
            _check_present(event, EVENT_GRID_FIELDS)
    return body


def _check_cloud_event(event: dict[str, Any]) -> None:
    """As CloudEvents 1.0 and its JSON format say."""
    _check_present(event, CLOUD_EVENT_FIELDS)
    for name in CLOUD_EVENT_FIELDS:
        if not isinstance(event[name], str) or not event[name]:
            raise _bad(f"{name} is a text")
    for name in event:
        if not _ATTRIBUTE.fullmatch(name):
            raise _bad(f"{json.dumps(name)} is no name of an attribute")
    for name in _TEXTS:
        if not isinstance(event.get(name, "-"), str) or not event.get(name, "-"):
            raise _bad(f"{name} is a text")
    if event["specversion"] != "1.0":
        raise _bad("specversion is 1.0")
    if "data" in event and "data_base64" in event:
        raise _bad("data and data_base64 exclude each other")
    if "time" in event and not _is_time(event["time"]):
        raise _bad("time is a timestamp of RFC 3339")


def _check_present(event: dict[str, Any], fields: tuple[str, ...]) -> None:
    missing = [name for name in fields if name not in event]
    if missing:
        raise _bad(f"this resource is configured to receive events with {', '.join(missing)}")


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _bad(reason: str) -> AzureError:
    return AzureError(400, "BadRequest", f"The event is not valid: {reason}.")
