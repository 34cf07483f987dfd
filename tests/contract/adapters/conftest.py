"""One of each server for the session; a database, queues and a fleet of its own for every test."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp.connector
import pytest
from adapter_fleet import FleetMaker
from adapter_servers import azurite, tls_server

from local import tls
from local.stack import environment
from local.stack.simulator import Simulator
from local.stack.storage import StorageUrls
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.keys import CosmosDataKeys
from shared.azure.credential import AsyncCredential, Credential, CredentialSettings
from shared.azure.key_vault import KeyEncryptionKey
from shared.azure.sealing import EnvelopeSealer

IDENTITY_HEADER = "a-header-only-the-app-knows"
_SPEED = "40"


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    files = tls.create(tmp_path_factory.mktemp("tls"))
    # azure-core uses aiohttp's own context, which was made at import: too early for SSL_CERT_FILE.
    aiohttp.connector._SSL_CONTEXT_VERIFIED.load_verify_locations(files.authority)
    return files


@pytest.fixture(scope="session")
def cosmos(tls_files: tls.TlsFiles) -> Iterator[str]:
    with tls_server("local.cosmos", tls_files, environment=environment.inherited()) as address:
        yield address


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageUrls]:
    with azurite(tmp_path_factory.mktemp("azurite")) as urls:
        yield urls


@pytest.fixture(scope="session")
def origin(tls_files: tls.TlsFiles) -> Iterator[str]:
    extra = {**tls_files.trust_environment(), "IDENTITY_HEADER": IDENTITY_HEADER}
    with tls_server("local.azure", tls_files, "--speed", _SPEED, environment=environment.inherited() | extra) as address:
        yield address


@pytest.fixture(scope="session")
def account_key() -> str:
    return environment.account_key()


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the key-encryption key is made by its first user."""
    return tmp_path_factory.mktemp("keys") / "kek.pem"


@pytest.fixture(autouse=True)
def trust(tls_files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of an app that trusts the local authority, and holds nothing that leads elsewhere."""
    kept = environment.inherited()
    for name in set(os.environ) - set(kept):
        monkeypatch.delenv(name)
    for name, value in (kept | tls_files.trust_environment()).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def database(cosmos: str, account_key: str) -> AsyncIterator[Database]:
    made = Database(cosmos, f"adapters-{uuid.uuid4().hex[:8]}", account_key)
    await made.create()
    yield made
    await made.close()


@pytest.fixture
def sealer(database: Database, key_file: Path) -> EnvelopeSealer:
    return EnvelopeSealer(CosmosDataKeys(database), KeyEncryptionKey(str(key_file)))


@pytest.fixture
async def credential(origin: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncCredential]:
    """The app's own, as an identity that nobody used before: its throttling buckets are full."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{origin}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    made = AsyncCredential(Credential(CredentialSettings(client_id=str(uuid.uuid4()))))
    yield made
    await made.close()


@pytest.fixture
async def simulator(origin: str, tls_files: tls.TlsFiles) -> AsyncIterator[Simulator]:
    async with Simulator(origin, tls_files.authority) as made:
        yield made


@pytest.fixture
def make_fleet(simulator: Simulator, tmp_path: Path) -> FleetMaker:
    return FleetMaker(simulator, tmp_path)
