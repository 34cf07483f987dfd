"""The account under test: the one named by COSMOS_ENDPOINT (and COSMOS_KEY, COSMOS_CA), else a shim started here."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy

from local import tls

# The official emulator's own well-known key, in its documentation.
EMULATOR_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="


@dataclass(frozen=True)
class Account:
    endpoint: str
    key: str
    authority: str | bool


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    key = os.environ.get("COSMOS_KEY", EMULATOR_KEY)
    if endpoint := os.environ.get("COSMOS_ENDPOINT"):
        yield Account(endpoint, key, os.environ.get("COSMOS_CA") or False)
        return
    files = tls.create(tmp_path_factory.mktemp("tls"))
    command = [sys.executable, "-m", "local.cosmos", "--port", "0"]
    command += ["--cert", str(files.certificate), "--key", str(files.key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()
            assert ready.startswith("ready: https://127.0.0.1:")
            yield Account(ready.removeprefix("ready: ").strip(), key, str(files.authority))
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


@pytest.fixture
def connect(account: Account) -> Callable[[Any], CosmosClient]:
    """Makes a client with another credential than the account's key."""
    return lambda credential: CosmosClient(account.endpoint, credential, connection_verify=account.authority)


@pytest.fixture
async def client(account: Account, connect: Callable[[Any], CosmosClient]) -> AsyncIterator[CosmosClient]:
    async with connect(account.key) as client:
        yield client


@pytest.fixture
async def database(client: CosmosClient) -> AsyncIterator[DatabaseProxy]:
    database = await client.create_database_if_not_exists(f"contract-{uuid.uuid4().hex[:8]}")
    yield database
    await client.delete_database(database.id)


@pytest.fixture
async def container(database: DatabaseProxy) -> ContainerProxy:
    return await database.create_container_if_not_exists("things", PartitionKey("/group"), default_ttl=-1)
