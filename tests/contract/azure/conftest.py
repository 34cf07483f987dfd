"""One simulator for the session, as a process of its own, and clients that trust it as they would trust Azure."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import aiohttp.connector
import pytest
from cloud_client import CloudClient, Repository

from local import tls

IDENTITY_HEADER = "a-header-only-the-app-knows"
SPEED = "40"
#: Run before the real command, so that the kernel ends it with its parent (prctl PR_SET_PDEATHSIG is 1).
DIE_WITH_PARENT = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    files = tls.create(tmp_path_factory.mktemp("tls"))
    # azure-core uses aiohttp's own context, which was made at import: too early for SSL_CERT_FILE.
    aiohttp.connector._SSL_CONTEXT_VERIFIED.load_verify_locations(files.authority)
    return files


@pytest.fixture(scope="session")
def origin(tls_files: tls.TlsFiles) -> Iterator[str]:
    environment = {**os.environ, **tls_files.trust_environment(), "IDENTITY_HEADER": IDENTITY_HEADER}
    command = [sys.executable, "-c", DIE_WITH_PARENT, sys.executable, "-m", "local.azure", "--port", "0", "--speed", SPEED]
    command += ["--cert", str(tls_files.certificate), "--key", str(tls_files.key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()
            assert ready.startswith("ready: https://127.0.0.1:")
            yield ready.removeprefix("ready: ").strip()
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


@pytest.fixture(autouse=True)
def trust(tls_files: tls.TlsFiles, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in tls_files.trust_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{origin}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    for name in ("IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def cloud(origin: str) -> AsyncIterator[CloudClient]:
    """A caller of its own: its throttling buckets are full, and the faults it sets are gone after the test."""
    async with aiohttp.ClientSession() as session:
        client = CloudClient(origin, session, IDENTITY_HEADER, str(uuid.uuid4()))
        yield client
        await client.clear_faults()


@pytest.fixture
async def repository(cloud: CloudClient, tmp_path: Path) -> Repository:
    made = Repository.create(tmp_path / "platform", f"https://git.example/contoso/{uuid.uuid4().hex}")
    await cloud.admin("POST", "repositories", {"url": made.url, "path": str(made.path)})
    return made
