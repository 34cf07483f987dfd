"""Calls of clusters' Receivers: to which hosts they go, against real servers over TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from local import tls
from shared.domain.errors import Rejected, Throttled, Unavailable
from shared.providers.flux_receivers import FluxReceivers

BODY = b'{"revision":"a"}'


class Names(AbstractResolver):
    """Gives each name the addresses that it is told, one set a question, and counts the questions."""

    def __init__(self, **addresses: list[str]) -> None:
        self._sets = list(addresses.items())
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        self.asked.append(host)
        _, found = self._sets[min(len(self.asked), len(self._sets)) - 1]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET6 if ":" in each else socket.AF_INET, proto=0, flags=0)
            for each in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Cluster:
    """A Receiver on this machine."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seen: list[tuple[str, bytes, str]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append((request.path, await request.read(), request.headers.get("X-Signature", "")))
        await self.open.wait()
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@pytest.fixture
async def cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    files = tls.create(tmp_path_factory.mktemp("tls"))
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    cluster = Cluster()
    cluster.open.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", cluster.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    context = ssl_context(files)
    await web.SockSite(runner, listener, ssl_context=context).start()
    cluster.port = listener.getsockname()[1]
    yield cluster
    await runner.cleanup()


def ssl_context(files: tls.TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


async def call(receivers: FluxReceivers, address: str, *, private: bool = True) -> None:
    try:
        await receivers.call(address, BODY, headers={"X-Signature": "sha256=00"}, private_addresses=private)
    finally:
        await receivers.close()


async def test_a_receiver_gets_the_body_as_it_was_signed(cluster: Cluster) -> None:
    names = Names(once=["127.0.0.1"])
    await call(FluxReceivers(loopback=True, resolver=names), f"https://localhost:{cluster.port}/hook/abc", private=False)
    assert cluster.seen == [("/hook/abc", BODY, "sha256=00")]
    assert names.asked == ["localhost"]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "2130706433", "0x7f.1", "127.1"])
async def test_this_machine_is_not_called_under_any_of_its_names(cluster: Cluster, host: str) -> None:
    with pytest.raises((Rejected, Unavailable)) as raised:
        await call(FluxReceivers(), f"https://{host}:{cluster.port}/hook/abc")
    assert cluster.seen == []
    assert host not in str(raised.value)


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16", "fe80::1", "::1", "0.0.0.0", "64:ff9b::a9fe:a9fe"])
async def test_a_name_that_leads_to_the_platform_is_not_called(address: str) -> None:
    with pytest.raises(Rejected) as raised:
        await call(FluxReceivers(loopback=False, resolver=Names(once=[address])), "https://flux.contoso.net/hook/abc")
    assert raised.value.code == "AddressNotAllowed"


async def test_one_address_of_several_that_must_not_be_called_is_enough(cluster: Cluster) -> None:
    names = Names(once=["127.0.0.1", "169.254.169.254"])
    with pytest.raises(Rejected):
        await call(FluxReceivers(loopback=True, resolver=names), f"https://localhost:{cluster.port}/hook/abc")
    assert cluster.seen == []


async def test_private_addresses_are_called_only_where_that_is_said() -> None:
    with pytest.raises(Rejected, match="privateAddresses"):
        await call(FluxReceivers(resolver=Names(once=["10.255.255.1"])), "https://flux.contoso.net/hook/abc", private=False)
    with pytest.raises(Rejected, match="privateAddresses"):
        await call(FluxReceivers(), "https://10.255.255.1/hook/abc", private=False)
    # Said, it is tried: here nobody answers.
    with pytest.raises(Unavailable):
        await call(
            FluxReceivers(resolver=Names(once=["10.255.255.1"]), timeout_seconds=0.2), "https://flux.contoso.net/hook/abc", private=True
        )


async def test_a_name_is_asked_for_once_and_the_connection_goes_to_that_address(cluster: Cluster) -> None:
    """A name that stands for this machine at the first question, and for the metadata service at every later one."""
    names = Names(first=["127.0.0.1"], later=["169.254.169.254"])
    receivers = FluxReceivers(loopback=True, resolver=names)
    address = f"https://localhost:{cluster.port}/hook/abc"
    await receivers.call(address, BODY, headers={}, private_addresses=True)
    assert (len(cluster.seen), names.asked) == (1, ["localhost"])
    cluster.headers = {"Connection": "close"}
    await receivers.call(address, BODY, headers={}, private_addresses=True)
    with pytest.raises(Rejected, match="not called"):
        await call(receivers, address)


@pytest.mark.parametrize("location", ["https://localhost/elsewhere", "https://169.254.169.254/metadata", "/hook/other"])
async def test_a_redirect_is_not_followed(cluster: Cluster, location: str) -> None:
    cluster.status, cluster.headers = 307, {"Location": location}
    with pytest.raises(Rejected, match="307"):
        await call(FluxReceivers(loopback=True), f"https://127.0.0.1:{cluster.port}/hook/abc")
    assert len(cluster.seen) == 1


async def test_only_https_is_spoken_and_only_with_a_certificate_that_is_trusted(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Rejected, match="https"):
        await call(FluxReceivers(loopback=True), f"http://127.0.0.1:{cluster.port}/hook/abc")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unavailable, match="Certificate"):
        await call(FluxReceivers(loopback=True), f"https://127.0.0.1:{cluster.port}/hook/abc")
    assert cluster.seen == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, None), (400, Rejected), (404, Rejected), (413, Rejected), (429, Throttled), (500, Unavailable), (503, Unavailable)],
)
async def test_what_flux_answers_is_what_it_means(cluster: Cluster, status: int, error: type[Exception] | None) -> None:
    cluster.status = status
    address = f"https://127.0.0.1:{cluster.port}/hook/abc"
    if error is None:
        await call(FluxReceivers(loopback=True), address)
        return
    with pytest.raises(error, match=str(status) if error is not Throttled else "slow down"):
        await call(FluxReceivers(loopback=True), address)


async def test_an_answer_is_bounded_in_length_and_in_time(cluster: Cluster) -> None:
    cluster.body = b"x" * 70_000
    with pytest.raises(Rejected, match="too long"):
        await call(FluxReceivers(loopback=True), f"https://127.0.0.1:{cluster.port}/hook/abc")
    cluster.open.clear()
    with pytest.raises(Unavailable, match="Timeout"):
        await call(FluxReceivers(loopback=True, timeout_seconds=0.2), f"https://127.0.0.1:{cluster.port}/hook/abc")
