"""Puts the services together on one TLS port."""

import asyncio
import socket
import ssl
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from local.azure.admin import Admin
from local.azure.agents import Agents
from local.azure.answers import AzureError, json_response
from local.azure.arm.connected_clusters import ConnectedClusters
from local.azure.arm.proxy_resources import ProxyResources
from local.azure.arm.service import ResourceManager
from local.azure.artifacts import Artifacts
from local.azure.clock import SimulatedClock
from local.azure.cloud import Cloud
from local.azure.event_grid import EventGridTopics
from local.azure.event_subscriptions import EventSubscriptions
from local.azure.faults import Faults, HttpFault
from local.azure.fleet import FleetMaker
from local.azure.flux_alerts import FluxAlerts
from local.azure.flux_receivers import FluxReceivers
from local.azure.gate import Gate
from local.azure.git_source import GitRepositories
from local.azure.github import GitHub
from local.azure.hooks import Hooks
from local.azure.identity import IdentityProvider
from local.azure.journal import Journal
from local.azure.key_vault import KeyVault
from local.azure.logs import LogsIngestion
from local.azure.origin import Origin
from local.azure.resource_graph import ResourceGraph
from local.azure.slack import Slack
from local.azure.teams import TeamsWorkflows
from local.azure.tokens import NAMESPACE, TokenAuthority

MAX_BODY_BYTES = 32 * 1024 * 1024  # each service has a limit of its own below this
SHUTDOWN_SECONDS = 2.0  # for answers under way
ADMIN_PREFIX = "/_sim/"
Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Settings:
    port: int
    certificate: Path
    key: Path
    identity_header: str
    seed: int = 1
    speed: float = 1.0


@dataclass(frozen=True)
class Simulator:
    app: web.Application
    agents: Agents
    alerts: FluxAlerts


def tenant_of(seed: int) -> str:
    return str(uuid.uuid5(NAMESPACE, f"tenant {seed}"))


def build(settings: Settings, origin: Origin) -> Simulator:
    """Every service, sharing one cloud, one token authority and one journal."""
    tokens = TokenAuthority(origin.url, tenant_of(settings.seed))
    gate, cloud, journal, faults = Gate(origin, tokens), Cloud(), Journal(), Faults(settings.seed)
    clock, repositories, artifacts = SimulatedClock(settings.speed), GitRepositories(), Artifacts()
    alerts = FluxAlerts(clock)
    agents = Agents(cloud, repositories, artifacts, faults, alerts, clock, settings.seed)
    clusters = ConnectedClusters(cloud)
    identity = IdentityProvider(origin, tokens, settings.identity_header)
    vault, topics = KeyVault(origin, gate), EventGridTopics(gate, journal)
    events = EventSubscriptions(journal)
    graph = ResourceGraph(cloud, gate, tokens.tenant_id)
    receivers = FluxReceivers(cloud, agents, journal)
    admin = Admin(
        cloud=cloud,
        agents=agents,
        repositories=repositories,
        artifacts=artifacts,
        fleet=FleetMaker(cloud, repositories, agents),
        faults=faults,
        clock=clock,
        journal=journal,
        tokens=tokens,
        identity=identity,
        vault=vault,
        topics=topics,
        events=events,
        graph=graph,
        alerts=alerts,
        receivers=receivers,
    )
    children = ProxyResources(cloud, clusters, agents, faults, origin)
    services = (
        admin,
        ResourceManager(cloud, gate, clusters, children, events),
        graph,
        vault,
        LogsIngestion(gate, journal),
        topics,
        events,
        TeamsWorkflows(journal),
        Slack(journal),
        Hooks(journal),
        GitHub(journal),
        receivers,
        identity,
    )
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_recorder(journal), _answer_errors, _breaker(faults)])
    for service in services:
        app.add_routes(service.routes())
    app.on_cleanup.append(events.close)
    return Simulator(app, agents, alerts)


async def serve(settings: Settings, announce: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serves until `stop` is set. Raises what the agents raise: a simulator whose clusters have died is of no use."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    listener = socket.create_server(("127.0.0.1", settings.port), backlog=1024)
    origin = Origin(listener.getsockname()[1])
    simulator = build(settings, origin)
    runner = web.AppRunner(simulator.app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listener, ssl_context=context).start()
    announce(f"ready: {origin.url}")
    agents = asyncio.create_task(simulator.agents.run())
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({agents, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if agents.done():
            agents.result()
    finally:
        agents.cancel()
        waiting.cancel()
        await simulator.alerts.close()
        await runner.cleanup()


def _recorder(journal: Journal) -> Middleware:
    @web.middleware
    async def record(request: web.Request, handler: Next) -> web.StreamResponse:
        if request.path.startswith(ADMIN_PREFIX):
            return await handler(request)
        status = 0  # the connection was closed without an answer
        try:
            response = await handler(request)
            status = response.status
        finally:
            journal.saw(request.method, request.path, status)
        return response

    return record


@web.middleware
async def _answer_errors(request: web.Request, handler: Next) -> web.StreamResponse:
    try:
        return await handler(request)
    except AzureError as error:
        return error.response()
    except web.HTTPException as error:
        text = f"{request.method} {request.path}: {error.reason}"
        return json_response({"error": {"code": error.reason.replace(" ", ""), "message": text}}, status=error.status)


def _breaker(faults: Faults) -> Middleware:
    @web.middleware
    async def break_on_request(request: web.Request, handler: Next) -> web.StreamResponse:
        fault = None if request.path.startswith(ADMIN_PREFIX) else faults.for_request(request.method, request.path)
        return await handler(request) if fault is None else await _strike(fault, request, handler)

    return break_on_request


async def _strike(fault: HttpFault, request: web.Request, handler: Next) -> web.StreamResponse:
    """Lets the request take effect first if the rule says so, waits, then fails it if the rule says so."""
    answer = await handler(request) if fault.after else None
    await asyncio.sleep(fault.delay_seconds)
    if fault.status is None and not fault.drop:
        return answer or await handler(request)
    if fault.drop and request.transport is not None:
        request.transport.abort()
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.body is not None:
        return web.Response(status=fault.status or 503, text=fault.body, content_type="application/json", headers=headers)
    raise AzureError(fault.status or 503, fault.code, "A fault rule of the simulator answers here.", headers=headers)
