"""The database: its containers, and the few calls that every document needs, with Cosmos DB's errors as ours."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.domain.errors import Conflict, NotFound, Rejected, Throttled, Unavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.cosmos.aio import ContainerProxy, CosmosClient

Json = dict[str, Any]
_DAY = 24 * 3600
_PAGE = 1000  #: documents an answer holds at most; the service ends a page at 4 MB by itself

# The work waits in a queue with its own retries, so a call gives up early rather than hold a function for minutes.
_PATIENCE: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 20, "retry_throttle_backoff_max": 10}
_ONE_DOCUMENT = re.compile(r"/docs/[^/]+/?$")
_OWNER_IS_MISSING = 1003  #: sub-status of a 404 (learn.microsoft.com, troubleshoot not found in Azure Cosmos DB)


@dataclass(frozen=True)
class Container:
    """A container as it is created: its partition key, and how long documents live (-1: for ever, unless they say otherwise)."""

    name: str
    partition_key: str
    time_to_live_seconds: int | None = None


CONTAINERS = (
    Container("changes", "/source", 30 * _DAY),
    Container("rollouts", "/rolloutId", 180 * _DAY),
    Container("configurations", "/clusterId"),
    Container("audit", "/stream", -1),
    Container("keys", "/id"),
    Container("pace", "/id", _DAY),
    Container("notifications", "/channel", 7 * _DAY),
    Container("fleet", "/part"),
)


class Database:
    """One database through azure-cosmos, its client made at the first call and used for all."""

    def __init__(self, endpoint: str, name: str, credential: "str | AsyncTokenCredential") -> None:
        self._endpoint = endpoint
        self._name = name
        self._credential = credential
        self._client: CosmosClient | None = None
        self._containers: dict[str, ContainerProxy] = {}

    async def create(self) -> list[str]:
        """Makes database and containers where they are missing; safe to repeat. Answers with the containers' names."""
        from azure.cosmos import PartitionKey

        with _cosmos_errors():
            database = await self._connect().create_database_if_not_exists(self._name)
            for each in CONTAINERS:
                await database.create_container_if_not_exists(
                    each.name,
                    PartitionKey(each.partition_key),
                    indexing_policy=_INDEXING,
                    default_ttl=each.time_to_live_seconds,
                )
        return [each.name for each in CONTAINERS]

    async def check(self) -> None:
        """Raises when the database cannot be read."""
        with _cosmos_errors():
            await self._container("keys").read()

    async def read(self, container: str, item: str, partition: str) -> Json | None:
        """The document, or None."""
        try:
            with _cosmos_errors():
                return dict(await self._container(container).read_item(item, partition))
        except NotFound:
            return None

    async def create_item(self, container: str, document: Mapping[str, Any]) -> Json:
        """Raises Conflict when its id is taken."""
        with _cosmos_errors():
            return dict(await self._container(container).create_item(dict(document)))

    async def replace(self, container: str, document: Mapping[str, Any], etag: str) -> Json:
        """Raises Conflict when the document is no longer at `etag`, NotFound when it is gone."""
        from azure.core import MatchConditions

        with _cosmos_errors():
            return dict(
                await self._container(container).replace_item(
                    document["id"], dict(document), etag=etag, match_condition=MatchConditions.IfNotModified
                )
            )

    async def save(self, container: str, document: Mapping[str, Any], etag: str) -> str:
        """Creates where `etag` is "", else replaces; the new ETag. Raises Conflict."""
        saved = await (self.replace(container, document, etag) if etag else self.create_item(container, document))
        return str(saved["_etag"])

    async def save_together(self, container: str, partition: str, documents: Sequence[tuple[Mapping[str, Any], str]]) -> list[str]:
        """Saves at most 100 documents of one partition, all or none: creates where the ETag is "", else replaces. The new ETags.

        Raises Conflict when any is taken or was changed, Throttled where one was answered so
        (learn.microsoft.com, transactional batch operations).
        """
        batch: list[tuple[Any, ...]] = [
            ("replace", (document["id"], dict(document)), {"if_match_etag": etag}) if etag else ("create", (dict(document),))
            for document, etag in documents
        ]
        with _cosmos_errors():
            answers = await self._container(container).execute_item_batch(batch, partition)
        return [str(answer["eTag"]) for answer in answers]

    async def delete(self, container: str, item: str, partition: str) -> None:
        """Gone afterwards, whether it was there or not."""
        try:
            with _cosmos_errors():
                await self._container(container).delete_item(item, partition)
        except NotFound:
            return

    async def query(
        self, container: str, text: str, parameters: Mapping[str, object], *, partition: str | None = None
    ) -> AsyncIterator[Json]:
        """Every match within one partition; without one, across all of them (for people only)."""
        given = [{"name": name, "value": value} for name, value in parameters.items()]
        where: dict[str, Any] = {} if partition is None else {"partition_key": partition}
        items = self._container(container).query_items(text, parameters=given, max_item_count=_PAGE, **where)
        while True:
            with _cosmos_errors():
                document = await anext(items, None)
            if document is None:
                return
            yield dict(document)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None
            self._containers.clear()

    def _connect(self) -> "CosmosClient":
        if self._client is None:
            from azure.cosmos.aio import CosmosClient

            self._client = CosmosClient(self._endpoint, self._credential, **_PATIENCE)
        return self._client

    def _container(self, name: str) -> "ContainerProxy":
        if name not in self._containers:
            self._containers[name] = self._connect().get_database_client(self._name).get_container_client(name)
        return self._containers[name]


#: Sealed text is never searched for, so it is not indexed: it would cost request units and find nothing.
_INDEXING: dict[str, Any] = {
    "indexingMode": "consistent",
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": "/sealed/?"}, {"path": '/"_etag"/?'}],
}


@contextmanager
def _cosmos_errors() -> Iterator[None]:
    """Cosmos DB's answers as our errors (learn.microsoft.com, HTTP status codes for Azure Cosmos DB)."""
    from azure.core.exceptions import AzureError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        raise _meaning(error) from error
    except AzureError as error:
        raise Unavailable("Cosmos DB cannot be reached", code=type(error).__name__) from error


def _meaning(error: "HttpResponseError") -> Exception:
    status = error.status_code or 0
    if status == 404:
        return NotFound("no such document") if _is_about_a_document(error) else Unavailable(_NO_CONTAINER, code="404")
    if status in (409, 412):
        return Conflict("the document was changed by someone else")
    if status == 429:
        return Throttled("Cosmos DB has no request units left", code="429", retry_after=_retry_after(error))
    if status in (400, 401, 403, 413):
        return Rejected(f"Cosmos DB answered {status}", code=str(status))
    if not status:
        return Unavailable("Cosmos DB cannot be asked", code=type(error).__name__)  # no token, or no whole answer
    return Unavailable(f"Cosmos DB answered {status}", code=str(status))


_NO_CONTAINER = "the Cosmos DB database or container does not exist: `sluice init` makes them"


def _is_about_a_document(error: "HttpResponseError") -> bool:
    """Whether a 404 means the document itself: the client asks for its container first, and an answer from there is no answer."""
    request = getattr(error.response, "request", None)
    path = urlsplit(str(getattr(request, "url", ""))).path
    return _ONE_DOCUMENT.search(path) is not None and getattr(error, "sub_status", None) != _OWNER_IS_MISSING


def _retry_after(error: "HttpResponseError") -> float | None:
    headers = getattr(error, "headers", None) or {}
    milliseconds = headers.get("x-ms-retry-after-ms")
    return float(milliseconds) / 1000 if milliseconds else None
