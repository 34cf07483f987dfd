"""The composition: index, open connections, serve, and drain when asked to stop."""

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import signal
import socket
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from aiohttp import web

from local.host.admin import Admin, HostIdentity
from local.host.app import index_app
from local.host.bindings import QUEUE, TIMER, Function
from local.host.errors import HostError
from local.host.event_grid import PATH, EventGridWebhook
from local.host.http_triggers import LARGEST_BODY, HttpTriggers
from local.host.invocation import Invoker
from local.host.keys import Doorkeeper, load_or_generate_keys
from local.host.queue_outputs import QueueOutputs
from local.host.queues import POISON_SUFFIX, QueueListener
from local.host.schedules import parse_schedule
from local.host.settings import HostSettings, apply_local_settings, read_host_settings
from local.host.storage import DEFAULT_CONNECTION, StorageClients
from local.host.timer_status import TimerStatusStore
from local.host.timers import Timer

_log = logging.getLogger("local.host")
DRAIN_SECONDS: Final = 30
_LEASE_SECONDS: Final = 600  # the extension's own; SLUICE_HOST_LEASE_SECONDS changes it for tests


@dataclass(frozen=True)
class Options:
    """The command line. `settings_file` is None where there is none; `port` 0 takes a free one."""

    app: Path
    port: int
    settings_file: Path | None
    state: Path
    auth: bool


class Listener(Protocol):
    """Waits for something other than HTTP; returns soon after `stopping` is set, its work in progress finished."""

    async def run(self, stopping: asyncio.Event) -> None: ...


async def serve(options: Options, environment: MutableMapping[str, str], announce: Callable[[str], None]) -> bool:
    """Runs the app until SIGTERM or SIGINT; `announce` gets the base URL once everything is served.

    Returns whether all work is finished, so that no thread holds the process up. Raises HostError where the app cannot be
    served, OSError where the port is taken.
    """
    with socket.create_server(("127.0.0.1", options.port)) as server:
        base_url = f"http://127.0.0.1:{server.getsockname()[1]}"
        settings = _prepare_environment(options, environment, base_url)
        os.chdir(options.app)  # as the real host starts its worker
        functions = await index_app(options.app, environment)
        async with contextlib.AsyncExitStack() as stack:
            storage = StorageClients(environment)
            stack.push_async_callback(storage.close)
            host = _Host(options, settings, functions, storage, environment, base_url)
            return await host.serve(server, announce)


def _prepare_environment(options: Options, environment: MutableMapping[str, str], base_url: str) -> HostSettings:
    if options.settings_file is not None:
        apply_local_settings(options.settings_file, environment)
    environment.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    environment.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    environment.setdefault("WEBSITE_HOSTNAME", base_url.removeprefix("http://"))
    return read_host_settings(options.app / "host.json")


class _Host:
    def __init__(
        self,
        options: Options,
        settings: HostSettings,
        functions: Sequence[Function],
        storage: StorageClients,
        environment: MutableMapping[str, str],
        base_url: str,
    ) -> None:
        self._settings = settings
        self._storage = storage
        self._environment = environment
        self._base_url = base_url
        self._host_id = environment.get("AzureFunctionsWebHost__hostid") or _host_id(options.app)
        outputs = QueueOutputs(functions, storage, as_base64=settings.queues.base64)
        self._invoker = Invoker(outputs.send, settings.function_timeout_seconds)
        keys = load_or_generate_keys(options.state / "keys.json", [function.name for function in functions])
        doorkeeper = Doorkeeper(keys, enforced=options.auth)
        identity = HostIdentity(self._host_id, base_url, settings.route_prefix)
        self._admin = Admin(identity, functions, doorkeeper, self._invoker)
        self._event_grid = EventGridWebhook(functions, doorkeeper, self._invoker)
        self._http = HttpTriggers(functions, settings.route_prefix, doorkeeper, self._invoker)
        self._listeners = [self._listener(function) for function in functions if _has_listener(function)]

    async def serve(self, server: socket.socket, announce: Callable[[str], None]) -> bool:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=DRAIN_SECONDS)
        await runner.setup()
        await web.SockSite(runner, server).start()
        listening = [asyncio.create_task(listener.run(stopping)) for listener in self._listeners]
        announce(self._base_url)
        await _first_of(stopping, listening)
        stopping.set()
        _log.info("stopping: what runs now is finished first")
        return await self._drain(runner, listening)

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=LARGEST_BODY)
        self._admin.add_routes(application.router)
        application.router.add_route("*", PATH, self._event_grid.handle)
        application.router.add_route("*", "/{path:.*}", self._http.handle)
        return application

    async def _drain(self, runner: web.AppRunner, listening: Sequence[asyncio.Task[None]]) -> bool:
        closing = [asyncio.create_task(runner.cleanup()), asyncio.create_task(self._admin.drain())]
        done, unfinished = await asyncio.wait([*listening, *closing], timeout=DRAIN_SECONDS)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if unfinished:
            _log.warning("stopped after %s s with work unfinished; it will be delivered again", DRAIN_SECONDS)
        for task in done:
            task.result()  # a listener that broke is a fault of this host, and is raised
        return not unfinished and not self._invoker.may_have_left_threads

    def _listener(self, function: Function) -> Listener:
        try:
            return self._queue_listener(function) if function.trigger.type == QUEUE else self._timer(function)
        except (HostError, ValueError) as error:
            raise HostError(f"function {function.name}, binding {function.trigger.name}: {error}") from error

    def _queue_listener(self, function: Function) -> QueueListener:
        name = function.trigger.text("queueName")
        queues = self._storage.queues(function.trigger.text("connection"))
        poison = None if name.endswith(POISON_SUFFIX) else queues.get_queue_client(name + POISON_SUFFIX)
        lease = int(self._environment.get("SLUICE_HOST_LEASE_SECONDS") or _LEASE_SECONDS)
        queue = queues.get_queue_client(name)
        return QueueListener(function, queue, poison, self._settings.queues, self._invoker, lease)

    def _timer(self, function: Function) -> Timer:
        zone = self._environment.get("WEBSITE_TIME_ZONE") or self._environment.get("TZ") or "UTC"
        schedule = parse_schedule(function.trigger.text("schedule"), zone)
        store = None
        if function.trigger.properties.get("useMonitor") is not False:
            store = TimerStatusStore(self._storage.blobs(DEFAULT_CONNECTION), self._host_id, function.name)
        return Timer(function, schedule, store, self._invoker)


def _has_listener(function: Function) -> bool:
    return function.trigger.type in {QUEUE, TIMER} and not function.is_disabled


def _host_id(app: Path) -> str:
    """Stable for one app on one machine, at most 32 characters, as `func` makes it."""
    machine = re.sub(r"[^a-z0-9]", "", socket.gethostname().lower())[:20] or "local"
    return f"{machine}-{hashlib.sha256(str(app).encode()).hexdigest()[:10]}"


async def _first_of(stopping: asyncio.Event, listening: Sequence[asyncio.Task[None]]) -> None:
    """Returns when the host is to stop, or when a listener ended by itself."""
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait([waiting, *listening], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
