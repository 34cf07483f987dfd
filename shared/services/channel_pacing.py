"""The door of each channel: any number of instances together post no faster than it allows, and a 429 holds back all of them."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from shared.config.models import Provider
from shared.domain.channels import Admission, channel, enter
from shared.domain.clock import Clock
from shared.domain.errors import Conflict
from shared.domain.pace import Pace, push_back
from shared.domain.record import digest
from shared.ports import PaceStore


@dataclass(frozen=True)
class ChannelPacer:
    """Two paces a channel: of its door, and of the line before it. Providers that lead to one channel share them."""

    store: PaceStore
    clock: Clock
    #: One at a time of those in this process: they would only get into each other's way at the store.
    _queues: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def enter(self, provider: Provider, slot: datetime | None) -> Admission:
        """When a message may be posted, or has to come again; `slot` is when it was told to come."""
        key, limit = _key(provider), channel(provider.type).limit
        async with self._queues[key]:
            while True:
                (door, door_etag), (line, line_etag) = await asyncio.gather(self._door(key), self._line(key))
                opened, lined, admission = enter(door, line, slot, self.clock(), limit)
                saved = self._saved(opened, door_etag) if admission.is_in else self._saved(lined, line_etag) if lined != line else None
                if saved is None or await saved:
                    return admission

    async def push_back(self, provider: Provider, until: datetime) -> None:
        """The channel said 429: nobody posts before `until`."""
        key, limit = _key(provider), channel(provider.type).limit
        async with self._queues[key]:
            while True:
                door, etag = await self._door(key)
                if await self._saved(push_back(door, until, limit), etag):
                    return

    async def _door(self, key: str) -> tuple[Pace, str]:
        return await self.store.get(f"door.{key}")

    async def _line(self, key: str) -> tuple[Pace, str]:
        return await self.store.get(f"line.{key}")

    async def _saved(self, pace: Pace, etag: str) -> bool:
        try:
            await self.store.save(pace, etag)
        except Conflict:
            return False
        return True


def _key(provider: Provider) -> str:
    return digest("channel-pace", provider.type, provider.address, provider.address_ref or "", provider.token_ref or "", provider.channel)
