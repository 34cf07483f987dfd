"""The simulator's own controls under /_sim: what a test or a demo arranges and looks at. No token is asked for."""

from pathlib import Path
from typing import Any

from aiohttp import web

from local.azure.agents import Agents
from local.azure.answers import AzureError, json_response, read_object
from local.azure.artifacts import Artifacts
from local.azure.clock import SimulatedClock, utc_text
from local.azure.cloud import Cloud
from local.azure.event_grid import EventGridTopics
from local.azure.event_subscriptions import EventSubscriptions
from local.azure.faults import BadFaultError, Faults
from local.azure.fleet import MADE_BY, FleetMaker, FleetOrder
from local.azure.flux_alerts import FluxAlerts
from local.azure.flux_receivers import FluxReceivers, Receiver
from local.azure.git_source import GitRepositories, SourceError
from local.azure.identity import Application, IdentityProvider
from local.azure.journal import Journal
from local.azure.key_vault import KeyVault
from local.azure.policies import Assignment
from local.azure.resource_graph import ResourceGraph
from local.azure.resources import Cluster, FluxConfiguration
from local.azure.tokens import TokenAuthority

CONNECTIVITY = {"Connecting", "Connected", "Offline", "Expired", "AgentNotInstalled"}


class Admin:
    def __init__(
        self,
        *,
        cloud: Cloud,
        agents: Agents,
        repositories: GitRepositories,
        artifacts: Artifacts,
        fleet: FleetMaker,
        faults: Faults,
        clock: SimulatedClock,
        journal: Journal,
        tokens: TokenAuthority,
        identity: IdentityProvider,
        vault: KeyVault,
        topics: EventGridTopics,
        events: EventSubscriptions,
        graph: ResourceGraph,
        alerts: FluxAlerts,
        receivers: FluxReceivers,
    ) -> None:
        self._cloud = cloud
        self._agents = agents
        self._repositories = repositories
        self._artifacts = artifacts
        self._fleet = fleet
        self._faults = faults
        self._clock = clock
        self._journal = journal
        self._tokens = tokens
        self._identity = identity
        self._vault = vault
        self._topics = topics
        self._events = events
        self._graph = graph
        self._alerts = alerts
        self._receivers = receivers

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sim/health", self.health),
            web.post("/_sim/repositories", self.add_repository),
            web.post("/_sim/artifacts", self.add_artifact),
            web.post("/_sim/fleet", self.add_fleet),
            web.get("/_sim/clusters", self.clusters),
            web.post("/_sim/clusters/{name}/connectivity", self.set_connectivity),
            web.put("/_sim/clusters/{name}/tags", self.set_tags),
            web.post("/_sim/policies", self.assign_policy),
            web.post("/_sim/faults", self.add_fault),
            web.delete("/_sim/faults", self.clear_faults),
            web.get("/_sim/messages", self.messages),
            web.delete("/_sim/messages", self.clear_messages),
            web.get("/_sim/requests", self.requests),
            web.delete("/_sim/requests", self.clear_requests),
            web.get("/_sim/stats", self.stats),
            web.post("/_sim/clock", self.set_clock),
            web.post("/_sim/resource-graph", self.set_graph_lag),
            web.put("/_sim/flux-alerts", self.set_flux_alerts),
            web.put("/_sim/secrets/{name}", self.set_secret),
            web.put("/_sim/keys/{name}", self.create_key),
            web.put("/_sim/topics/{name}", self.set_topic_key),
            web.put("/_sim/receivers/{name}", self.set_receiver),
            web.put("/_sim/applications/{client_id}", self.register_application),
        ]

    async def health(self, request: web.Request) -> web.Response:
        body = {"status": "ok", "tenantId": self._tokens.tenant_id, "speed": self._clock.speed}
        return json_response(body | {"clusters": len(list(self._cloud.clusters))})

    async def add_repository(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        try:
            self._repositories.register(str(body["url"]), Path(str(body["path"])))
        except (KeyError, ValueError) as error:
            raise _bad(error) from error
        return json_response({"url": body["url"]}, status=201)

    async def add_artifact(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        try:
            self._artifacts.register(str(body["url"]), str(body.get("tag", "latest")), str(body["digest"]))
        except (KeyError, ValueError) as error:
            raise _bad(error) from error
        return json_response(body, status=201)

    async def add_fleet(self, request: web.Request) -> web.Response:
        try:
            ids = await self._fleet.make(FleetOrder.from_json(await read_object(request)))
        except (TypeError, ValueError, SourceError) as error:
            raise _bad(error) from error
        await self._graph.prepare()
        self._events.clusters_connected(ids, {"upn": MADE_BY["createdBy"]})
        subscriptions = sorted({cluster_id.split("/")[2] for cluster_id in ids})
        return json_response({"ids": ids, "subscriptions": subscriptions}, status=201)

    async def clusters(self, request: web.Request) -> web.Response:
        return json_response([_cluster_view(cluster) for cluster in self._cloud.clusters])

    async def set_connectivity(self, request: web.Request) -> web.Response:
        state = (await read_object(request)).get("state")
        if state not in CONNECTIVITY:
            raise _bad(f"state must be one of {', '.join(sorted(CONNECTIVITY))}")
        found = self._cloud.clusters_named(request.match_info["name"])
        if not found:
            raise AzureError(404, "NotFound", "no such cluster")
        for cluster in found:
            self._connect(cluster, str(state))
        return json_response([_cluster_view(cluster) for cluster in found])

    async def set_tags(self, request: web.Request) -> web.Response:
        tags = await read_object(request)
        for cluster in self._cloud.clusters_named(request.match_info["name"]):
            cluster.tags = {str(name): str(value) for name, value in tags.items()}
            self._cloud.touch(cluster)
        return json_response(tags)

    async def assign_policy(self, request: web.Request) -> web.Response:
        try:
            assignment = Assignment.from_json(await read_object(request))
        except TypeError as error:
            raise _bad(error) from error
        self._cloud.policies.assign(assignment)
        return json_response({"id": assignment.id}, status=201)

    async def add_fault(self, request: web.Request) -> web.Response:
        """The kinds that Faults knows, and `token`, which shortens the life of tokens minted from now on."""
        rule = await read_object(request)
        if rule.get("kind") == "token":
            self._tokens.lifetime_seconds = int(rule["expiresInSeconds"])
        else:
            try:
                self._faults.add(rule)
            except BadFaultError as error:
                raise _bad(error) from error
        return json_response(rule, status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        self._faults.clear()
        self._tokens.lifetime_seconds = None
        return web.Response(status=204)

    async def messages(self, request: web.Request) -> web.Response:
        channel = request.query.get("channel")
        return json_response([one for one in self._journal.messages if channel in (None, one["channel"])])

    async def clear_messages(self, request: web.Request) -> web.Response:
        self._journal.messages.clear()
        return web.Response(status=204)

    async def requests(self, request: web.Request) -> web.Response:
        method, path = request.query.get("method", "").upper(), request.query.get("path", "").lower()
        return json_response(
            [
                {"at": seen.at, "method": seen.method, "path": seen.path, "status": seen.status}
                for seen in self._journal.requests
                if method in ("", seen.method) and path in seen.path.lower()
            ]
        )

    async def clear_requests(self, request: web.Request) -> web.Response:
        self._journal.clear_requests()
        return web.Response(status=204)

    async def stats(self, request: web.Request) -> web.Response:
        journal = self._journal
        return json_response(
            {
                "byMethod": journal.by_method,
                "byType": journal.by_type,
                "byStatus": journal.by_status,
                "throttled": journal.throttled,
            }
        )

    async def set_clock(self, request: web.Request) -> web.Response:
        try:
            self._clock.set_speed(float((await read_object(request))["speed"]))
        except (KeyError, ValueError, TypeError) as error:
            raise _bad(error) from error
        self._agents.clock_changed()
        return json_response({"speed": self._clock.speed, "now": self._clock.now()})

    async def set_graph_lag(self, request: web.Request) -> web.Response:
        self._graph.lag_seconds = float((await read_object(request)).get("lagSeconds", 0))
        return json_response({"lagSeconds": self._graph.lag_seconds})

    async def set_flux_alerts(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        try:
            self._alerts.send_to(str(body["address"]), str(body["secret"]))
        except KeyError as error:
            raise _bad(f"{error} is missing") from error
        return web.Response(status=204)

    async def set_secret(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        secret = self._vault.set_secret(request.match_info["name"], str(body.get("value", "")), expires=body.get("expires"))
        return json_response({"version": secret.version}, status=201)

    async def create_key(self, request: web.Request) -> web.Response:
        key = await self._vault.create_key(request.match_info["name"])
        return json_response({"version": key.version}, status=201)

    async def set_topic_key(self, request: web.Request) -> web.Response:
        self._topics.keys[request.match_info["name"]] = str((await read_object(request)).get("key", ""))
        return web.Response(status=204)

    async def set_receiver(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        receiver = Receiver(request.match_info["name"], str(body.get("namespace", "")), str(body.get("token", "")))
        self._receivers.register(receiver)
        return json_response({"path": f"/hook/{receiver.path}"}, status=201)

    async def register_application(self, request: web.Request) -> web.Response:
        client_id = request.match_info["client_id"]
        try:
            self._identity.applications[client_id] = Application.from_json(client_id, await read_object(request))
        except ValueError as error:
            raise _bad(error) from error
        return web.Response(status=204)

    def _connect(self, cluster: Cluster, state: str) -> None:
        """The last time the cluster was heard of moves while it is connected, and stands still once it is not."""
        if cluster.is_online or state == "Connected":
            cluster.last_connectivity_time = utc_text()
        cluster.connectivity = state
        self._cloud.touch(cluster)
        if cluster.is_online:
            self._agents.wake_cluster(cluster)


def _cluster_view(cluster: Cluster) -> dict[str, Any]:
    configurations = [
        {
            "id": child.id,
            "name": child.name,
            "complianceState": child.observation.compliance_state,
            "desiredCommit": child.reference.get("commit") or child.reference.get("digest"),
            "syncedCommit": child.observation.commit,
            "writes": child.writes,
        }
        for child in cluster.children.values()
        if isinstance(child, FluxConfiguration)
    ]
    return {
        "id": cluster.id,
        "name": cluster.name,
        "subscription": cluster.subscription,
        "tags": cluster.tags,
        "connectivity": cluster.connectivity,
        "configurations": configurations,
    }


def _bad(reason: object) -> AzureError:
    return AzureError(400, "BadRequest", str(reason))
