"""Container `pace`: the next free slot. Its ids are a subscription and a region, or a digest, so nothing is sealed."""

from dataclasses import dataclass

import msgspec

from shared.azure.cosmos.database import Database
from shared.domain.errors import Malformed
from shared.domain.pace import Pace


@dataclass(frozen=True)
class CosmosPace:
    """Implements ports.PaceStore."""

    database: Database

    async def get(self, pace_id: str) -> tuple[Pace, str]:
        found = await self.database.read("pace", pace_id, pace_id)
        if found is None:
            return Pace(id=pace_id), ""
        try:
            return msgspec.convert(found, Pace), str(found["_etag"])
        except msgspec.ValidationError as error:
            raise Malformed(f"pace document {pace_id}: {error}") from None

    async def save(self, pace: Pace, etag: str) -> None:
        await self.database.save("pace", {**msgspec.to_builtins(pace), "type": "pace", "version": 1}, etag)
