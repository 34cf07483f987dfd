"""The local stack: started in order, watched, stopped with nothing left running."""

import asyncio
import secrets
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.stack import children, configuration, description, environment, host, seed, storage
from local.stack.children import Child
from local.stack.description import Description
from local.stack.errors import ChildFailed
from local.stack.seed import Fleet
from local.stack.simulator import Simulator
from local.stack.state import State
from local.stack.storage import StorageUrls
from local.tls import TlsFiles

_READY = r"^ready: (https://127\.0\.0\.1:\d+)$"
_HOST = "host"
_GITHUB_SECRET = "github-platform"  # noqa: S105 - a name in the vault
_FLUX_SECRET = "flux-alerts"  # noqa: S105 - a name in the vault


class Stack:
    """Azurite, the Cosmos DB shim, the Azure simulator with its fleet, and the Functions host with the app.

    All state is below `state`; one stack at a time uses it. `port` is the host's, 0 for a free one; `speed` is how much faster
    than real time the simulated clusters live; `settings` are app settings that replace or join the stack's own; with `flux_alerts`
    the clusters tell the app themselves how they fare. `events` is the schema in which Event Grid tells the app of Azure's events
    (EventGridSchema or CloudEventSchemaV1_0); "" for not at all.
    """

    host: str  #: addresses, without a slash at the end; set once started
    azure: str
    cosmos: str
    storage: StorageUrls
    settings: dict[str, str]  #: the app settings in force
    github_secret: str  #: of the receiver named platform
    flux_secret: str  #: of the receiver named flux

    def __init__(
        self,
        state: Path = description.DEFAULT_STATE,
        *,
        fleet: Fleet | None = None,
        port: int = 0,
        speed: float = 1.0,
        settings: Mapping[str, str] | None = None,
        flux_alerts: bool = False,
        events: str = "",
    ) -> None:
        self.state = State(state)
        self.fleet = fleet or Fleet()
        self.speed = speed
        self.flux_alerts = flux_alerts
        self.events = events
        self._port = port
        self._extra_settings = dict(settings or {})
        self._children: dict[str, Child] = {}
        self._inherited = environment.inherited()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts everything. Raises StackError, with all stopped again, when a part does not come up or the state is in use."""
        self.state.claim()
        try:
            self._tls: TlsFiles = await asyncio.to_thread(self.state.prepare)
            self.github_secret = self.state.keep_secret(_GITHUB_SECRET)
            self.flux_secret = self.state.keep_secret(_FLUX_SECRET)
            identity_header = secrets.token_hex(32)
            await _together(self._start_storage(), self._start_cosmos(), self._start_azure(identity_header))
            self.settings = self._app_settings(identity_header)
            self.state.keep_settings(self.settings)
            await _together(self._seed(), self._run("init", [sys.executable, "-m", "cli", "init"]))
            await self.start_host()
            await self._send_flux_alerts()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stops every process that this stack started: the host first, so that it ends its work while the rest serves."""
        hosts = [name for name in self._children if name.startswith(_HOST)]
        await asyncio.gather(*(children.stop(self._children.pop(name)) for name in hosts))
        await asyncio.gather(*(children.stop(child) for child in self._children.values()))
        self._children.clear()
        self.state.release()

    async def wait_until_one_ends(self) -> ChildFailed:
        """Returns when any part has ended by itself, with what it last said."""
        waits = {asyncio.ensure_future(child.process.wait()): child for child in self._children.values()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        child = waits[done.pop()]
        return child.failure(f"ended with status {child.process.returncode}")

    async def kill_host(self) -> None:
        """SIGKILL, as when an instance of the app is lost. `start_host` brings it back on the same port."""
        await children.kill(self._children.pop(_HOST))

    async def start_host(self) -> None:
        self._port = self._port or host.free_port()
        self.host = await self._start_host(_HOST, self._port)
        if self.events:
            await self.subscribe(self.events)
        self.describe().write(self.state.path)

    async def subscribe(self, schema: str) -> None:
        """Azure's events come to the app from now on, in this schema: EventGridSchema or CloudEventSchemaV1_0. Raises SimulatorError."""
        url = f"{self.host}/runtime/webhooks/EventGrid?functionName=on_azure_event"
        async with self.simulator() as simulator:
            await simulator.put("event-subscriptions/sluice", {"url": url, "schema": schema})

    async def start_more_hosts(self, count: int) -> None:
        """More instances of the app on the same queues and database, as Azure adds them."""
        names = [f"{_HOST}-{number}" for number in range(2, count + 2)]
        await asyncio.gather(*(self._start_host(name, host.free_port()) for name in names))
        self.describe().write(self.state.path)

    async def _start_host(self, name: str, port: int) -> str:
        full = self._inherited | {"SLUICE_URL": f"http://127.0.0.1:{self._port}"} | self.settings
        child = await host.start(port, environment=full, log=self.state.next_log(name))
        self._children[name] = child
        return await host.ready(child, port)

    def simulator(self) -> Simulator:
        """A client of the Azure simulator's admin side."""
        return Simulator(self.azure, self._tls.authority)

    def describe(self) -> Description:
        return Description(
            host=self.host,
            azure=self.azure,
            cosmos=self.cosmos,
            storage_blob=self.storage.blob,
            storage_queue=self.storage.queue,
            storage_table=self.storage.table,
            authority=str(self._tls.authority),
            configuration=str(self.state.configuration),
            repository=str(self.state.repository.path),
            logs=str(self.state.logs),
            settings=str(self.state.settings_file),
            receivers={name: str(self.state.secret_file(secret)) for name, secret in self._receivers().items()},
            pids={name: child.pid for name, child in self._children.items()},
        )

    async def _start_storage(self) -> None:
        child = await self._spawn("azurite", storage.command())
        await children.announced(child, storage.READY)
        self.storage = storage.urls(child.log.read_text())

    async def _start_cosmos(self) -> None:
        child = await self._spawn("cosmos", self._server("local.cosmos"))
        self.cosmos = (await children.announced(child, _READY)).group(1)

    async def _start_azure(self, identity_header: str) -> None:
        options = ["--seed", str(self.fleet.seed), "--speed", str(self.speed)]
        secret = {"IDENTITY_HEADER": identity_header, **self._tls.trust_environment()}
        child = await self._spawn("azure", [*self._server("local.azure"), *options], secret)
        self.azure = (await children.announced(child, _READY)).group(1)

    def _server(self, module: str) -> list[str]:
        tls = ["--cert", str(self._tls.certificate), "--key", str(self._tls.key)]
        return [sys.executable, "-m", module, "--port", "0", *tls]

    async def _spawn(self, name: str, command: Sequence[str], extra: Mapping[str, str] | None = None) -> Child:
        full = self._inherited | dict(extra or {})
        child = await children.start(name, command, environment=full, log=self.state.next_log(name), directory=host.ROOT)
        self._children[name] = child
        return child

    async def _run(self, name: str, command: Sequence[str]) -> None:
        child = await self._spawn(name, command, self.settings)
        await children.finish(child)
        del self._children[name]

    def _app_settings(self, identity_header: str) -> dict[str, str]:
        configuration.write_filled(self.state.configuration, self.azure, flux_alerts=self.flux_alerts)
        own = environment.app_settings(
            storage=self.storage,
            cosmos=self.cosmos,
            cosmos_key=environment.account_key(),
            azure=self.azure,
            identity_header=identity_header,
            configuration=self.state.configuration,
            tls=self._tls,
        )
        return own | self._extra_settings

    async def _seed(self) -> None:
        values = seed.vault_secrets(self.azure, self.github_secret, self.flux_secret)
        async with self.simulator() as simulator:
            await seed.seed(simulator, secrets=values, path=self.state.repository.path, fleet=self.fleet)

    async def _send_flux_alerts(self) -> None:
        if self.flux_alerts:
            async with self.simulator() as simulator:
                await seed.send_flux_alerts(simulator, self.host, self.flux_secret)

    def _receivers(self) -> dict[str, str]:
        return {"platform": _GITHUB_SECRET, **({"flux": _FLUX_SECRET} if self.flux_alerts else {})}


async def _together(*parts: Coroutine[Any, Any, None]) -> None:
    """Runs all; the first failure cancels the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
