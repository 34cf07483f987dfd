"""The Event Grid extension's webhook: the handshake in both schemas, and one invocation an event, all at once.

Source: github.com/Azure/azure-sdk-for-net, Microsoft.Azure.WebJobs.Extensions.EventGrid (EventGridExtensionConfigProvider,
HttpRequestProcessor).
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from azure_functions_runtime.bindings.datumdef import Datum

from local.host.bindings import EVENT_GRID, Function
from local.host.invocation import Invoker, Outcome
from local.host.keys import EVENT_GRID_KEY, Doorkeeper

PATH: Final = "/runtime/webhooks/{extension:(?i:eventgrid)}"


class EventGridWebhook:
    """Serves every enabled function that has an Event Grid trigger."""

    def __init__(self, functions: Sequence[Function], doorkeeper: Doorkeeper, invoker: Invoker) -> None:
        self._functions = {
            function.name.lower(): function for function in functions if function.trigger.type == EVENT_GRID and not function.is_disabled
        }
        self._doorkeeper = doorkeeper
        self._invoker = invoker

    async def handle(self, request: web.Request) -> web.Response:
        """Any status outside 200 to 204 makes Event Grid send the whole batch again."""
        if not self._doorkeeper.admits_system(request, EVENT_GRID_KEY):
            return web.Response(status=401)
        name = request.query.get("functionName", "")
        function = self._functions.get(name.lower())
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        try:
            return await self._answer(function, request)
        except (ValueError, LookupError, TypeError):
            return web.Response(status=400, text="the body is not what its aeg-event-type says")

    async def _answer(self, function: Function, request: web.Request) -> web.Response:
        kind = request.headers.get("aeg-event-type", "").lower()
        if kind == "unsubscribe":
            return web.Response(status=202)
        if kind == "subscriptionvalidation":
            return web.json_response({"validationResponse": _validation_code(await request.json())})
        if kind == "notification":
            return await self._notify(function, _events(await request.json()))
        return web.Response(status=400)

    async def _notify(self, function: Function, events: Sequence[dict[str, Any]]) -> web.Response:
        outcomes = await asyncio.gather(*(invoke_with_event(self._invoker, function, event) for event in events))
        errors = [outcome.error for outcome in outcomes if not outcome.succeeded]
        return web.Response(status=500, text="\n".join(errors)) if errors else web.Response(status=202)


async def invoke_with_event(invoker: Invoker, function: Function, event: dict[str, Any]) -> Outcome:
    metadata = {"data": Datum(json.dumps(event.get("data")), "json")}
    return await invoker.invoke(function, Datum(json.dumps(event), "json"), metadata)


def _validation_code(body: Any) -> str:
    """An array of one event in the Event Grid schema; one object, whose data is JSON text or an object, as CloudEvent."""
    data = body[0]["data"] if isinstance(body, list) else body["data"]
    return str((json.loads(data) if isinstance(data, str) else data)["validationCode"])


def _events(body: Any) -> list[dict[str, Any]]:
    events = body if isinstance(body, list) else [body]
    if not all(isinstance(event, dict) for event in events):
        raise TypeError("an event is an object")
    return events
