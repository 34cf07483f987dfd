"""Making containers, and what they forget by themselves."""

import asyncio

import pytest
from azure.cosmos import PartitionKey, exceptions
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy


async def gone(container: ContainerProxy, item: str, partition: str, within_seconds: float) -> bool:
    """Whether the document disappears; the service promises the second of expiry, not the millisecond."""
    deadline = asyncio.get_running_loop().time() + within_seconds
    while asyncio.get_running_loop().time() < deadline:
        try:
            await container.read_item(item, partition)
        except exceptions.CosmosResourceNotFoundError:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_a_database_is_made_once(client: CosmosClient, database: DatabaseProxy) -> None:
    again = await client.create_database_if_not_exists(database.id)
    assert again.id == database.id
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await client.create_database(database.id)


async def test_a_container_is_made_once_with_its_key_and_time_to_live(database: DatabaseProxy) -> None:
    for _ in range(2):
        container = await database.create_container_if_not_exists("c", PartitionKey("/source"), default_ttl=2_592_000)
    properties = await container.read()
    assert properties["partitionKey"]["paths"] == ["/source"]
    assert properties["defaultTtl"] == 2_592_000
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await database.create_container("c", PartitionKey("/source"))


async def test_a_replaced_container_keeps_its_documents(database: DatabaseProxy, container: ContainerProxy) -> None:
    await container.create_item({"id": "1", "group": "a"})
    await database.replace_container(container.id, PartitionKey("/group"), default_ttl=3600)
    assert (await container.read())["defaultTtl"] == 3600
    assert (await container.read_item("1", "a"))["id"] == "1"


async def test_documents_expire(container: ContainerProxy) -> None:
    await container.create_item({"id": "brief", "group": "a", "ttl": 1})
    await container.create_item({"id": "lasting", "group": "a"})
    assert await gone(container, "brief", "a", within_seconds=5)
    assert [row["id"] async for row in container.query_items("SELECT * FROM c", partition_key="a")] == ["lasting"]
    await container.create_item({"id": "brief", "group": "a"})


async def test_a_containers_own_time_to_live_counts_from_the_last_write(database: DatabaseProxy) -> None:
    container = await database.create_container_if_not_exists("brief", PartitionKey("/group"), default_ttl=1)
    await container.create_item({"id": "1", "group": "a"})
    await container.create_item({"id": "kept", "group": "a", "ttl": -1})
    assert await gone(container, "1", "a", within_seconds=5)
    assert [row["id"] async for row in container.query_items("SELECT * FROM c")] == ["kept"]


async def test_without_a_containers_leave_an_items_time_to_live_means_nothing(database: DatabaseProxy) -> None:
    container = await database.create_container_if_not_exists("forever", PartitionKey("/group"))
    await container.create_item({"id": "1", "group": "a", "ttl": 1})
    assert not await gone(container, "1", "a", within_seconds=2)
