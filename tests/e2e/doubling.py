"""A way to the queues on which every message is sent twice, as at-least-once delivery allows."""

from base64 import b64decode
from types import TracebackType
from typing import Self
from xml.etree import ElementTree as ET

import aiohttp
from aiohttp import web
from raw_queues import RawQueues
from yarl import URL

from local.stack.stack import Stack

#: Hop by hop, or made anew by the client. The signature covers none of them.
_NOT_FORWARDED = frozenset({"host", "connection", "transfer-encoding", "accept-encoding", "content-length", "content-encoding"})


class DoublingQueues:
    """Stands between the app and its queue service. `sent` remembers each message, so that it can be sent once more, late."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._account = service[service.rindex("/") :]
        self.sent: list[tuple[str, str]] = []

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}{self._account}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def send_all_again(self, queues: RawQueues) -> None:
        """Each message once more, when all that it asked for is done long ago."""
        for queue, text in list(self.sent):
            await queues.send(queue, text)

    async def _forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        answer = await self._pass_on(request, body)
        if request.method == "POST" and request.path.endswith("/messages"):
            self.sent.append((request.path.split("/")[-2], _text_of(body)))
            await self._pass_on(request, body)
        return answer

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        url = self._service.removesuffix(self._account) + request.raw_path
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _NOT_FORWARDED]
        as_written = URL(url, encoded=True)  # the signature covers it
        asked = self._session.request(request.method, as_written, data=body or None, headers=headers, skip_auto_headers=["Content-Type"])
        async with asked as response:
            kept = [(name, value) for name, value in response.headers.items() if name.lower() not in _NOT_FORWARDED]
            return web.Response(status=response.status, body=await response.read(), headers=dict(kept))


class DoublingStack(Stack):
    """A stack whose app sends its messages that way. The Functions host receives them past it."""

    doubling: DoublingQueues

    async def stop(self) -> None:
        await super().stop()
        if hasattr(self, "doubling"):
            await self.doubling.__aexit__(None, None, None)

    async def _start_storage(self) -> None:
        await super()._start_storage()
        self.doubling = await DoublingQueues(self.storage.queue).__aenter__()

    def _app_settings(self, identity_header: str) -> dict[str, str]:
        settings = super()._app_settings(identity_header)
        settings["AzureWebJobsStorage"] = settings["AzureWebJobsStorage"].replace(self.storage.queue, self.doubling.url)
        return settings


def _text_of(body: bytes) -> str:
    return b64decode(str(ET.fromstring(body).findtext("MessageText"))).decode()  # noqa: S314 -- our own app's XML
