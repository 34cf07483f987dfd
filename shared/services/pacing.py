"""Reserving write slots, so that any number of instances together keep under ARM's limit."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.clock import Clock
from shared.domain.errors import Conflict
from shared.domain.pace import Pace, push_back, reserve
from shared.ports import PaceStore


@dataclass(frozen=True)
class Pacer:
    """Slots of ARM's write bucket: one a subscription and region that the calls come from."""

    store: PaceStore
    region: str
    clock: Clock

    async def reserve(self, subscription: str, count: int) -> tuple[datetime, ...]:
        """The next `count` slots, none before now."""
        while True:
            pace, etag = await self.store.get(self._id(subscription))
            reserved, slots = reserve(pace, count, self.clock())
            if await self._saved(reserved, etag):
                return slots

    async def push_back(self, subscription: str, until: datetime) -> None:
        """ARM said 429: no slot of that subscription before `until`, for anyone."""
        while True:
            pace, etag = await self.store.get(self._id(subscription))
            if await self._saved(push_back(pace, until), etag):
                return

    async def _saved(self, pace: Pace, etag: str) -> bool:
        try:
            await self.store.save(pace, etag)
        except Conflict:
            return False
        return True

    def _id(self, subscription: str) -> str:
        return f"{subscription}.{self.region}"
