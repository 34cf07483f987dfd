"""The stack's database, read and changed past the app: what an administrator of Cosmos DB sees."""

from types import TracebackType
from typing import Any, Self

from azure.cosmos.aio import CosmosClient, DatabaseProxy

from shared.azure.cosmos.database import CONTAINERS

Json = dict[str, Any]


class RawDatabase:
    """Use as an async context manager."""

    def __init__(self, endpoint: str, key: str, name: str, authority: str) -> None:
        self._client = CosmosClient(endpoint, key, connection_verify=authority)
        self._name = name

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.close()

    async def documents(self, container: str) -> list[Json]:
        return [dict(item) async for item in self._database.get_container_client(container).read_all_items()]

    async def everything(self) -> dict[str, list[Json]]:
        return {container.name: await self.documents(container.name) for container in CONTAINERS}

    async def replace(self, container: str, document: Json) -> None:
        await self._database.get_container_client(container).replace_item(document["id"], document)

    @property
    def _database(self) -> DatabaseProxy:
        return self._client.get_database_client(self._name)
