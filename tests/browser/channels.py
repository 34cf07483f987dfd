"""A channel of any kind: takes whatever it is sent, and keeps it."""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from hostile import OWN
from told import NOW

from local import tls
from shared.domain.deliveries import Parcel
from shared.ports import Provider
from shared.providers import PROVIDERS
from shared.providers.http import OutboundHttp
from shared.providers.means import Means

#: Reads as success for every service that says so in its answer.
_TAKEN = {"ok": True, "ts": "1.2", "channel": "C1", "status": "success", "result": "Request will be processed"}
#: How a kind of channel may be set up otherwise than by an address alone.
_TOKENS = {
    "slack": ("", "xoxb-1"),
    "webhook": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
    "pagerduty": ("a-routing-key",),
    "opsgenie": ("a-key",),
}

WAYS = [(kind, token) for kind in PROVIDERS for token in _TOKENS.get(kind, ("",))]


@dataclass
class AnyChannel:
    address: str = ""
    bodies: list[Any] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.json_response(_TAKEN, status=202)

    async def sent(self, http: OutboundHttp, way: tuple[str, str], parcel: Parcel) -> list[Any]:
        """What a channel of this kind is sent of a parcel."""
        self.bodies.clear()
        kind, token = way
        await self._provider(http, kind, token).post(parcel)
        return list(self.bodies)

    def _provider(self, http: OutboundHttp, kind: str, token: str) -> Provider:
        channel = "C1" if kind == "slack" and token else ""
        means = Means(http, address=self.address, token=token, channel=channel, source=OWN, topics=self, clock=lambda: NOW)
        return PROVIDERS[kind](means)

    async def publish(self, topic: str, events: Sequence[Mapping[str, object]], *, key: str = "") -> None:
        """Implements ports.EventTopics."""
        self.bodies.append(msgspec.json.decode(msgspec.json.encode(events)))


@asynccontextmanager
async def serving(files: Path) -> AsyncIterator[tuple[AnyChannel, Path]]:
    """With the certificate of the authority that it is to be trusted by."""
    made = tls.create(files)
    channel = AnyChannel()
    app = web.Application(client_max_size=2**22)
    app.router.add_post("/{path:.*}", channel.answer)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.certificate, made.key)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        channel.address = f"https://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield channel, made.authority
    finally:
        await runner.cleanup()
