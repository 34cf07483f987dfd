"""A token endpoint of our own, over TLS, and the trust in its authority."""

from collections.abc import AsyncIterator

import aiohttp.connector
import pytest
from aiohttp import web
from token_server import TokenServer, serve

from local import tls


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    files = tls.create(tmp_path_factory.mktemp("tls"))
    # azure-core uses aiohttp's own context, which was made at import: too early for SSL_CERT_FILE.
    aiohttp.connector._SSL_CONTEXT_VERIFIED.load_verify_locations(files.authority)
    return files


@pytest.fixture(autouse=True)
def trust(tls_files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in tls_files.trust_environment().items():
        monkeypatch.setenv(name, value)
    for name in ("IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def server(tls_files: tls.TlsFiles) -> AsyncIterator[TokenServer]:
    server = TokenServer()
    server.open.set()
    app = web.Application()
    app.add_routes(server.routes())
    async for origin in serve(app, tls_files):
        server.origin = origin
        yield server
