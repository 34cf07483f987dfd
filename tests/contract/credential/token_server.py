"""Answers as Entra ID's token endpoint and App Service's identity endpoint do."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from local import tls

TENANT = "11111111-2222-3333-4444-555555555555"


@dataclass
class TokenServer:
    """Answers as Entra ID's v2.0 token endpoint and as App Service's identity endpoint do."""

    origin: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lifetime_seconds: int = 3600
    refresh_in_seconds: int | None = None
    failure: tuple[int, dict[str, Any]] | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self.describe),
            web.post("/{tenant}/oauth2/v2.0/token", self.token),
            web.get("/identity", self.identity),
        ]

    async def describe(self, request: web.Request) -> web.Response:
        base = f"{self.origin}/{request.match_info['tenant']}"
        endpoints = {"issuer": f"{base}/v2.0", "authorization_endpoint": f"{base}/oauth2/v2.0/authorize"}
        return web.json_response({**endpoints, "token_endpoint": f"{base}/oauth2/v2.0/token"})

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        number = await self._record(request, {name: str(value) for name, value in form.items()})
        if self.failure:
            return web.json_response(self.failure[1], status=self.failure[0])
        body = {"token_type": "Bearer", "expires_in": self.lifetime_seconds, "access_token": f"token-{number}"}
        return web.json_response(body | ({"refresh_in": self.refresh_in_seconds} if self.refresh_in_seconds is not None else {}))

    async def identity(self, request: web.Request) -> web.Response:
        number = await self._record(request, dict(request.query))
        if self.failure:
            return web.json_response(self.failure[1], status=self.failure[0])
        body = {"token_type": "Bearer", "expires_on": str(int(time.time()) + self.lifetime_seconds), "access_token": f"identity-{number}"}
        return web.json_response(body)

    async def _record(self, request: web.Request, sent: dict[str, str]) -> int:
        self.requests.append(sent)
        self.headers.append(dict(request.headers))
        number = len(self.requests)
        await self.open.wait()
        return number


async def serve(app: web.Application, files: tls.TlsFiles) -> AsyncIterator[str]:
    """Runs `app` over TLS on a free port and stops it afterwards."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
