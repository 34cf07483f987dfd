"""Container `keys`: data keys, wrapped by the key-encryption key, one document a scope."""

from dataclasses import dataclass

import msgspec

from shared.azure.cosmos.database import Database
from shared.azure.data_keys import KeyRecord
from shared.domain.errors import Malformed


@dataclass(frozen=True)
class CosmosDataKeys:
    """Implements data_keys.DataKeyStore. A document is of no use without the key-encryption key, so nothing in it is sealed again."""

    database: Database

    async def get(self, scope: str) -> tuple[KeyRecord, str] | None:
        found = await self.database.read("keys", scope, scope)
        if found is None:
            return None
        try:
            return msgspec.convert(found, KeyRecord), str(found["_etag"])
        except msgspec.ValidationError as error:
            raise Malformed(f"keys document {scope}: {error}") from None

    async def scopes(self) -> list[str]:
        """Every scope that has a data key, across all partitions: for people."""
        found = self.database.query("keys", "SELECT c.id FROM c WHERE c.type = @type", {"@type": "data-key"})
        return sorted([document["id"] async for document in found])

    async def create(self, record: KeyRecord) -> None:
        await self.database.save("keys", _document(record), "")

    async def replace(self, record: KeyRecord, etag: str) -> None:
        await self.database.save("keys", _document(record), etag)


def _document(record: KeyRecord) -> dict[str, object]:
    return {**msgspec.to_builtins(record), "id": record.scope, "type": "data-key", "version": 1}
