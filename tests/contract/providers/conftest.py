"""A client for the servers of these tests, and TLS for them."""

import ssl
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from git_hosts import Serve

from local import tls
from shared.providers.http import OutboundHttp


@pytest.fixture(scope="session")
def git_tls(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.create(tmp_path_factory.mktemp("git-tls"))


@pytest.fixture
async def serve(git_tls: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    monkeypatch.setenv("SSL_CERT_FILE", str(git_tls.authority))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(git_tls.certificate, git_tls.key)
    runners: list[web.AppRunner] = []

    async def start(app: web.Application) -> str:
        runner = web.AppRunner(app, shutdown_timeout=1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return f"https://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def git_http() -> AsyncIterator[OutboundHttp]:
    http = OutboundHttp(timeout_seconds=5)
    yield http
    await http.close()
