"""What the app's stores rely on when they read and write one document."""

import asyncio
import os
from collections.abc import Callable
from typing import Any, Self

import pytest
from azure.core import MatchConditions
from azure.core.credentials import AccessToken
from azure.cosmos import exceptions
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy

ARM_ID = "|subscriptions|s|resourcegroups|r|providers|microsoft.kubernetes|connectedclusters|c"


async def test_a_document_comes_back_as_it_was_written(container: ContainerProxy) -> None:
    written = {"id": ARM_ID, "group": "a/b:c", "text": 'grün 🚀 \\ "x"', "list": [1, None, {"deep": True}]}
    created = await container.create_item(written)
    read = await container.read_item(ARM_ID, "a/b:c")
    assert {name: read[name] for name in written} == written
    assert read["_etag"] == created["_etag"]
    assert isinstance(read["_ts"], int)


async def test_a_missing_document_is_not_found(container: ContainerProxy) -> None:
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("nothing", "a")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.delete_item("nothing", "a")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.replace_item("nothing", {"id": "nothing", "group": "a"})


async def test_a_document_is_found_only_in_its_partition(container: ContainerProxy) -> None:
    await container.create_item({"id": "1", "group": "a"})
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("1", "b")


async def test_a_missing_container_is_not_found(database: DatabaseProxy) -> None:
    missing = database.get_container_client("missing")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await missing.read_item("1", "a")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await missing.read()


async def test_the_same_id_twice_in_a_partition_conflicts(container: ContainerProxy) -> None:
    await container.create_item({"id": "1", "group": "a"})
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await container.create_item({"id": "1", "group": "a"})
    await container.create_item({"id": "1", "group": "b"})


async def test_a_replace_with_a_stale_etag_is_refused(container: ContainerProxy) -> None:
    first = await container.create_item({"id": "1", "group": "a", "n": 1})
    fresh = await container.replace_item(
        "1", {"id": "1", "group": "a", "n": 2}, etag=first["_etag"], match_condition=MatchConditions.IfNotModified
    )
    assert fresh["_etag"] != first["_etag"]
    with pytest.raises(exceptions.CosmosAccessConditionFailedError):
        await container.replace_item(
            "1", {"id": "1", "group": "a", "n": 3}, etag=first["_etag"], match_condition=MatchConditions.IfNotModified
        )
    with pytest.raises(exceptions.CosmosAccessConditionFailedError):
        await container.delete_item("1", "a", etag=first["_etag"], match_condition=MatchConditions.IfNotModified)
    assert (await container.read_item("1", "a"))["n"] == 2


async def test_of_concurrent_replaces_exactly_one_wins(container: ContainerProxy) -> None:
    etag = (await container.create_item({"id": "1", "group": "a", "winner": None}))["_etag"]

    async def attempt(number: int) -> bool:
        try:
            await container.replace_item(
                "1",
                {"id": "1", "group": "a", "winner": number},
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except exceptions.CosmosAccessConditionFailedError:
            return False
        return True

    won = await asyncio.gather(*(attempt(number) for number in range(20)))
    assert won.count(True) == 1
    assert (await container.read_item("1", "a"))["winner"] == won.index(True)


async def test_of_concurrent_creates_exactly_one_wins(container: ContainerProxy) -> None:
    async def attempt() -> bool:
        try:
            await container.create_item({"id": "1", "group": "a"})
        except exceptions.CosmosResourceExistsError:
            return False
        return True

    assert (await asyncio.gather(*(attempt() for _ in range(20)))).count(True) == 1


async def test_upsert_creates_then_replaces_and_delete_removes(container: ContainerProxy) -> None:
    await container.upsert_item({"id": "1", "group": "a", "n": 1})
    await container.upsert_item({"id": "1", "group": "a", "n": 2})
    assert (await container.read_item("1", "a"))["n"] == 2
    await container.delete_item("1", "a")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("1", "a")


async def test_patch_changes_one_field_when_its_condition_holds(container: ContainerProxy) -> None:
    await container.create_item({"id": "1", "group": "a", "n": 1})
    increment = [{"op": "incr", "path": "/n", "value": 4}]
    await container.patch_item("1", "a", increment, filter_predicate="from c where c.n = 1")
    with pytest.raises(exceptions.CosmosAccessConditionFailedError):
        await container.patch_item("1", "a", increment, filter_predicate="from c where c.n = 1")
    assert (await container.read_item("1", "a"))["n"] == 5


async def test_a_batch_is_all_or_nothing(container: ContainerProxy) -> None:
    await container.create_item({"id": "taken", "group": "a"})
    upsert = ("upsert", ({"id": "new", "group": "a"},))
    with pytest.raises(exceptions.CosmosBatchOperationError) as failure:
        await container.execute_item_batch(
            [upsert, ("create", ({"id": "taken", "group": "a"},)), ("delete", ("taken",))], partition_key="a"
        )
    assert (failure.value.status_code, failure.value.error_index) == (409, 1)
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("new", "a")
    results = await container.execute_item_batch([upsert, ("replace", ("taken", {"id": "taken", "group": "a", "n": 1}))], partition_key="a")
    assert [result["statusCode"] for result in results] == [201, 200]
    assert (await container.read_item("taken", "a"))["n"] == 1


async def test_a_batch_respects_etags(container: ContainerProxy) -> None:
    first = await container.create_item({"id": "1", "group": "a"})
    await container.upsert_item({"id": "1", "group": "a", "n": 1})
    stale = ("replace", ("1", {"id": "1", "group": "a", "n": 2}), {"if_match_etag": first["_etag"]})
    with pytest.raises(exceptions.CosmosBatchOperationError) as failure:
        await container.execute_item_batch([stale], partition_key="a")
    assert failure.value.status_code == 412


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")  # aiohttp, at 1 MiB
async def test_a_document_over_two_megabytes_is_refused(container: ContainerProxy) -> None:
    with pytest.raises(exceptions.CosmosHttpResponseError) as failure:
        await container.create_item({"id": "1", "group": "a", "text": "x" * (2 * 1024 * 1024)})
    assert failure.value.status_code == 413


class Token:
    """A Microsoft Entra ID credential, as the app's own."""

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        return AccessToken("header.payload.signature", 4_000_000_000)

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


@pytest.mark.skipif("COSMOS_ENDPOINT" in os.environ, reason="the official emulator knows keys only")
async def test_a_bearer_token_is_accepted(connect: Callable[[Any], CosmosClient], database: DatabaseProxy) -> None:
    async with connect(Token()) as client:
        assert (await client.get_database_client(database.id).read())["id"] == database.id
