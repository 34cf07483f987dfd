"""sluice.yaml in a blob of a real Azurite, read through a shared access signature."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import BlobSasPermissions, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from local.stack import children, storage
from local.stack.children import Child
from shared.azure.config_blob import ConfigBlob
from shared.domain.errors import Malformed

GOOD = b"apiVersion: sluice/v1\nroutes: [{name: first, source: {url: https://github.com/contoso/platform}}]\n"
BETTER = GOOD.replace(b"first", b"second")
BROKEN = b"apiVersion: sluice/v1\nrouts: []\n"


class NoCredential:
    """A SAS needs none: asking for a token would be the mistake."""

    async def get_token(self, *scopes: str, **kwargs: object) -> None:
        raise ClientAuthenticationError(str(scopes))


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def azurite(tmp_path: Path) -> AsyncIterator[Child]:
    child = await children.start(
        "azurite", storage.command(), environment=dict(os.environ), log=tmp_path / "azurite.log", directory=tmp_path
    )
    await children.announced(child, storage.READY)
    yield child
    await children.stop(child)


@pytest.fixture
async def container(azurite: Child) -> AsyncIterator[ContainerClient]:
    connection = storage.urls(azurite.log.read_text()).connection_string()
    async with BlobServiceClient.from_connection_string(connection) as service:
        yield await service.create_container("config")


def signed(container: ContainerClient) -> str:
    sas = generate_blob_sas(
        container.account_name or "",
        "config",
        "sluice.yaml",
        account_key=container.credential.account_key,
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"{container.url}/sluice.yaml?{sas}"


async def test_a_new_version_is_taken_a_broken_one_refused_and_an_outage_outlived(container: ContainerClient, azurite: Child) -> None:
    clock = Clock()
    config = ConfigBlob(signed(container), NoCredential(), clock)  # type: ignore[arg-type] # it must not be used
    await container.upload_blob("sluice.yaml", GOOD)
    assert (await config.latest()).routes[0].name == "first"

    await container.upload_blob("sluice.yaml", BETTER, overwrite=True)
    assert (await config.latest()).routes[0].name == "first", "not asked again so soon"
    clock.seconds += 10
    assert (await config.latest()).routes[0].name == "second"

    await container.upload_blob("sluice.yaml", BROKEN, overwrite=True)
    clock.seconds += 10
    assert (await config.latest()).routes[0].name == "second"
    assert "sluice.yaml:2" in config.problem
    with pytest.raises(Malformed, match=r"sluice\.yaml:2"):
        await config.check()

    await container.upload_blob("sluice.yaml", GOOD, overwrite=True)
    clock.seconds += 10
    await config.check()
    clock.seconds += 10
    assert (await config.latest()).routes[0].name == "first", "unchanged: the ETag answers"
    assert config.problem == ""

    await children.stop(azurite)
    clock.seconds += 10
    assert (await config.latest()).routes[0].name == "first"
    assert "cannot be read" in config.problem
    await config.close()


async def test_without_a_first_version_it_says_what_to_look_at(container: ContainerClient) -> None:
    config = ConfigBlob(signed(container), NoCredential())  # type: ignore[arg-type] # it must not be used
    with pytest.raises(Malformed, match="SLUICE_CONFIG"):
        await config.latest()
    assert "sig=" not in config.problem
    await config.close()
