"""The /admin surface: what the host is, which functions it has, their keys, and runs started by hand."""

import asyncio
import json
import logging
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web
from azure.storage.queue import QueueMessage
from azure_functions_runtime.bindings.datumdef import Datum

from local.host.bindings import EVENT_GRID, HTTP, TIMER, Function
from local.host.event_grid import invoke_with_event
from local.host.http_triggers import http_datum, route_of
from local.host.invocation import Invoker
from local.host.keys import Doorkeeper
from local.host.queues import message_metadata
from local.host.timers import timer_datum

_log = logging.getLogger("local.host")
_VERSION: Final = "4.0.0-local"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class HostIdentity:
    """What /admin tells about this host. `route_prefix` is host.json's."""

    host_id: str
    base_url: str
    route_prefix: str


class Admin:
    """Everything but the ping needs the master key where keys are enforced."""

    def __init__(self, identity: HostIdentity, functions: Sequence[Function], doorkeeper: Doorkeeper, invoker: Invoker) -> None:
        self._identity = identity
        self._functions = {function.name.lower(): function for function in functions}
        self._doorkeeper = doorkeeper
        self._invoker = invoker
        self._started = time.monotonic()
        self._running: set[asyncio.Task[None]] = set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        for method in ("GET", "POST"):
            router.add_route(method, "/admin/host/ping", self._ping)
        for method, path, handler in (
            ("GET", "/admin/host/status", self._status),
            ("GET", "/admin/host/keys", self._host_keys),
            ("GET", "/admin/host/systemkeys", self._system_keys),
            ("GET", "/admin/functions", self._list),
            ("GET", "/admin/functions/{name}", self._describe),
            ("GET", "/admin/functions/{name}/keys", self._function_keys),
            ("POST", "/admin/functions/{name}", self._invoke),
        ):
            router.add_route(method, path, self._guarded(handler))

    async def drain(self) -> None:
        """Waits for the runs that were started by hand."""
        if self._running:
            await asyncio.wait(self._running)

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self._doorkeeper.admits_admin(request):
                return web.Response(status=401)
            return await handler(request)

        return guarded

    async def _ping(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "id": self._identity.host_id,
                "state": "Running",
                "version": _VERSION,
                "versionDetails": "local.host on azure-functions-runtime",
                "computerName": socket.gethostname(),
                "processUptime": round((time.monotonic() - self._started) * 1000),
                "functionAppContentEditingState": "Unknown",
            }
        )

    async def _host_keys(self, request: web.Request) -> web.Response:
        keys = self._doorkeeper.keys
        return _key_list({**keys.host, "_master": keys.master})

    async def _system_keys(self, request: web.Request) -> web.Response:
        return _key_list(dict(self._doorkeeper.keys.system))

    async def _function_keys(self, request: web.Request) -> web.Response:
        function = self._find(request)
        return _key_list(dict(self._doorkeeper.keys.functions.get(function.name, {})))

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([self._description(function) for function in self._functions.values()])

    async def _describe(self, request: web.Request) -> web.Response:
        return web.json_response(self._description(self._find(request)))

    async def _invoke(self, request: web.Request) -> web.Response:
        function = self._find(request)
        try:
            text = str((await request.json()).get("input") or "")
            run = self._run_by_hand(function, text)
        except (ValueError, AttributeError):
            return web.Response(status=400)
        task = asyncio.create_task(run)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return web.Response(status=202)

    def _run_by_hand(self, function: Function, text: str) -> Any:
        """The coroutine that runs `function` on `text`; ValueError where an Event Grid event is not a JSON object."""
        kind = function.trigger.type
        if kind == EVENT_GRID:
            event = json.loads(text)
            if not isinstance(event, dict):
                raise ValueError("an event is an object")
            return invoke_with_event(self._invoker, function, event)
        if kind == HTTP:
            url = f"{self._identity.base_url}/{route_of(function, self._identity.route_prefix)}"
            return self._invoker.invoke(function, http_datum("POST", url, body=text.encode("utf-8")))
        if kind == TIMER:
            return self._invoker.invoke(function, timer_datum(None, is_past_due=False))
        return self._invoker.invoke(function, Datum(text, "string"), message_metadata(_message_by_hand(text)))

    def _find(self, request: web.Request) -> Function:
        function = self._functions.get(request.match_info["name"].lower())
        if function is None:
            raise web.HTTPNotFound(text="")
        return function

    def _description(self, function: Function) -> dict[str, Any]:
        is_http = function.trigger.type == HTTP
        base = self._identity.base_url
        return {
            "name": function.name,
            "href": f"{base}/admin/functions/{function.name}",
            "language": "python",
            "isDisabled": function.is_disabled,
            "invoke_url_template": f"{base}/{route_of(function, self._identity.route_prefix)}" if is_http else None,
            "config": {"name": function.name, "bindings": [dict(binding) for binding in function.bindings]},
        }


def _key_list(keys: dict[str, str]) -> web.Response:
    return web.json_response({"keys": [{"name": name, "value": value} for name, value in keys.items()]})


def _message_by_hand(text: str) -> QueueMessage:
    now = datetime.now(UTC)
    message = QueueMessage(content=text)
    message.id = str(uuid.uuid4())
    message.pop_receipt = ""
    message.dequeue_count = 1
    message.inserted_on = message.next_visible_on = now
    message.expires_on = now + timedelta(days=7)
    return message
