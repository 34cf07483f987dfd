"""How a value becomes a document: what identifies or routes it stays clear, everything else is sealed in one field."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from shared.azure.cosmos.database import CONTAINERS, Database, Json
from shared.domain.errors import Malformed
from shared.ports import Sealer

T = TypeVar("T", bound=msgspec.Struct)

#: The data key of what belongs to no single subscription.
FLEET = "fleet"
_PARTITION_FIELDS = {container.name: container.partition_key.removeprefix("/") for container in CONTAINERS}


@dataclass(frozen=True)
class Document(Generic[T]):
    """The stored form of one type: its container, its version, its place there, and which fields stay clear (names as on the wire)."""

    struct: type[T]
    kind: str
    version: int
    container: str
    place: Callable[[T], tuple[str, str]]  #: partition key and id of a value
    clear: frozenset[str]
    scope: Callable[[T], str] = lambda _: FLEET  #: whose data key seals it
    #: how long it lives from its last write on, where that is not what its container says (learn.microsoft.com, time to live)
    lives_seconds: Callable[[T], int | None] = lambda _: None


@dataclass(frozen=True)
class Shelf(Generic[T]):
    """Documents of one type, sealed on their way in and opened on their way out."""

    database: Database
    sealer: Sealer
    document: Document[T]

    async def get(self, partition: str, item: str) -> tuple[T, str] | None:
        """The value and its ETag, or None."""
        found = await self.database.read(self.document.container, item, partition)
        return (await self.decode(found), str(found["_etag"])) if found else None

    async def save(self, value: T, etag: str) -> str:
        """Creates where `etag` is "", else replaces; the new ETag. Raises Conflict."""
        return await self.database.save(self.document.container, await self.encode(value), etag)

    async def save_together(self, values: Sequence[tuple[T, str]]) -> list[str]:
        """Values of one partition, each at its ETag, all or none; the new ETags. Raises Conflict."""
        partition, _ = self.document.place(values[0][0])
        encoded = [(await self.encode(value), etag) for value, etag in values]
        return await self.database.save_together(self.document.container, partition, encoded)

    async def encode(self, value: T) -> Json:
        """The document. Raises the sealer's errors: nothing is ever stored unsealed."""
        kind = self.document
        partition, item = kind.place(value)
        plain = msgspec.to_builtins(value)
        secret = {name: content for name, content in plain.items() if name not in kind.clear}
        return {
            **{name: content for name, content in plain.items() if name in kind.clear},
            "id": item,
            _PARTITION_FIELDS[kind.container]: partition,
            "type": kind.kind,
            "version": kind.version,
            **({} if (lives := kind.lives_seconds(value)) is None else {"ttl": lives}),
            "sealed": await self.sealer.seal(
                msgspec.json.encode(secret), scope=kind.scope(value), binding=_binding(kind.container, partition, item)
            ),
        }

    async def decode(self, document: Json) -> T:
        """The value. Raises Malformed with the document's id when it has another type, version or shape, Sealed when it does not open."""
        kind = self.document
        where = f"{kind.container} document {document.get('id')}"
        if (document.get("type"), document.get("version")) != (kind.kind, kind.version):
            raise Malformed(f"{where} is not a {kind.kind} of version {kind.version}")
        binding = _binding(kind.container, str(document[_PARTITION_FIELDS[kind.container]]), str(document["id"]))
        secret = await self.sealer.open(str(document.get("sealed", "")), binding=binding)
        clear = {name: content for name, content in document.items() if name in kind.clear}
        try:
            return msgspec.convert({**clear, **msgspec.json.decode(secret)}, kind.struct)
        except msgspec.ValidationError as error:
            raise Malformed(f"{where}: {error}") from None


def _binding(container: str, partition: str, item: str) -> str:
    """Where a sealed field belongs: copied into another document it does not open."""
    return f"{container}/{partition}/{item}"
