"""An Event Grid custom topic: takes events in Event Grid's and CloudEvents' schema and keeps them.

https://learn.microsoft.com/azure/event-grid/post-to-custom-topic
"""

import hmac
from typing import Any

from aiohttp import web

from local.azure.answers import AzureError, read_json
from local.azure.gate import EVENT_GRID_AUDIENCES, Gate
from local.azure.journal import Journal

MAX_BYTES = 1024 * 1024
CHANNEL = "eventgrid"
EVENT_GRID_FIELDS = ("id", "subject", "data", "eventType", "eventTime", "dataVersion")
CLOUD_EVENT_FIELDS = ("id", "source", "type", "specversion")


class EventGridTopics:
    def __init__(self, gate: Gate, journal: Journal) -> None:
        self._gate = gate
        self._journal = journal
        self.keys: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/topics/{name}/api/events", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        topic = request.match_info["name"]
        self._admit(request, topic)
        if len(await request.read()) > MAX_BYTES:
            raise AzureError(413, "PayloadTooLarge", f"The maximum size of a request is {MAX_BYTES} bytes.")
        body = await read_json(request)
        events = body if isinstance(body, list) else [body]
        schema = "CloudEventV10" if "cloudevents" in request.content_type else "EventGridEvent"
        for event in events:
            _check(event, CLOUD_EVENT_FIELDS if schema == "CloudEventV10" else EVENT_GRID_FIELDS)
        for event in events:
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


def _check(event: Any, fields: tuple[str, ...]) -> None:
    missing = [name for name in fields if name not in event] if isinstance(event, dict) else list(fields)
    if missing:
        raise AzureError(400, "BadRequest", f"This resource is configured to receive events with {', '.join(missing)}.")
