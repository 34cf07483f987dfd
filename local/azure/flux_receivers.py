"""The clusters' Flux Receivers, of type generic-hmac: one of each name on every cluster, with one token for all."""

import hashlib
import hmac
from dataclasses import dataclass

from aiohttp import web

from local.azure.agents import Agents
from local.azure.cloud import Cloud
from local.azure.journal import Journal
from local.azure.resources import FluxConfiguration

CHANNEL = "receivers"


@dataclass(frozen=True)
class Receiver:
    name: str
    namespace: str
    token: str

    @property
    def path(self) -> str:
        """What stands behind /hook/ (fluxcd.io, Receivers: Webhook Path)."""
        return hashlib.sha256(f"{self.token}{self.name}{self.namespace}".encode()).hexdigest()

    def has_signed(self, body: bytes, signature: str) -> bool:
        expected = hmac.digest(self.token.encode(), body, "sha256").hex()
        return hmac.compare_digest(signature.encode(), f"sha256={expected}".encode())


class FluxReceivers:
    def __init__(self, cloud: Cloud, agents: Agents, journal: Journal) -> None:
        self._cloud = cloud
        self._agents = agents
        self._journal = journal
        self._receivers: dict[str, Receiver] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/flux/{cluster}/hook/{path}", self.handle)]

    def register(self, receiver: Receiver) -> None:
        self._receivers[receiver.path] = receiver

    async def handle(self, request: web.Request) -> web.Response:
        """As notification-controller answers. A cluster that is away is not there."""
        found = self._cloud.clusters_named(request.match_info["cluster"])
        receiver, body = self._receivers.get(request.match_info["path"]), await request.read()
        if any(not cluster.is_online for cluster in found) and request.transport is not None:
            request.transport.abort()
        if not found or receiver is None:
            return web.Response(status=404)
        if not receiver.has_signed(body, request.headers.get("X-Signature", "")):
            return web.Response(status=400)
        for cluster in found:
            self._journal.keep(CHANNEL, cluster=cluster.name, body=body.decode(errors="replace"))
            for child in cluster.children.values():
                if isinstance(child, FluxConfiguration):
                    self._agents.look_now(child)
        return web.Response(status=200)
