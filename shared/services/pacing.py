"""Reserving write slots, so that any number of instances together keep under ARM's limit."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.advance import MOST_CHANGES
from shared.domain.clock import Clock
from shared.domain.errors import Conflict
from shared.domain.pace import Pace, give_back, push_back, reserve, room
from shared.domain.rollouts import Action
from shared.ports import PaceStore

#: How far ahead a rollout reserves. What is queued no further than this can be paused, superseded or overtaken by a closing window
#: within the same time, and a rollout that ends early leaves no long row of empty slots behind.
LOOK_AHEAD = timedelta(seconds=60)


@dataclass(frozen=True)
class Unpaced:
    """For what is not written to ARM: its stages' maxConcurrency alone says how much happens at once."""

    clock: Clock

    async def reserve(self, subscription: str, count: int) -> tuple[datetime, ...]:
        """Now, so many times."""
        return (self.clock(),) * count

    async def room(self, subscription: str) -> int:
        return MOST_CHANGES

    async def give_back(self, subscription: str, count: int) -> None:
        """Nothing was taken."""

    async def push_back(self, subscription: str, until: datetime) -> None:
        """One cluster that is asked too often says nothing of the others."""


@dataclass(frozen=True)
class Pacer:
    """Slots of ARM's write bucket: one a subscription and region that the calls come from."""

    store: PaceStore
    region: str
    clock: Clock
    #: One at a time of those in this process: they would only get into each other's way at the store.
    _queues: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def reserve(self, subscription: str, count: int) -> tuple[datetime, ...]:
        """The next `count` slots, none before now."""
        while True:
            pace, etag = await self.store.get(self._id(subscription))
            reserved, slots = reserve(pace, count, self.clock())
            if await self._saved(reserved, etag):
                return slots

    async def reserve_soon(self, subscription: str) -> datetime | None:
        """The next slot; None while it would lie further ahead than a rollout may reach."""
        async with self._queues[subscription]:
            while True:
                pace, etag = await self.store.get(self._id(subscription))
                if not room(pace, self.clock(), LOOK_AHEAD):
                    return None
                reserved, (slot,) = reserve(pace, 1, self.clock())
                if await self._saved(reserved, etag):
                    return slot

    async def room(self, subscription: str) -> int:
        """How many slots may be reserved now so that none lies further ahead than a rollout may reach."""
        pace, _ = await self.store.get(self._id(subscription))
        return room(pace, self.clock(), LOOK_AHEAD)

    async def give_back(self, subscription: str, count: int) -> None:
        """Slots that were reserved and will not be used."""
        await self._change(subscription, lambda pace: give_back(pace, count))

    async def push_back(self, subscription: str, until: datetime) -> None:
        """ARM said 429: no slot of that subscription before `until`, for anyone."""
        await self._change(subscription, lambda pace: push_back(pace, until))

    def of(self, action: Action) -> "Pacer | Unpaced":
        """The pace of what a rollout does to its targets."""
        return self if action == "pin" else Unpaced(self.clock)

    async def _change(self, subscription: str, change: Callable[[Pace], Pace]) -> None:
        while True:
            pace, etag = await self.store.get(self._id(subscription))
            if await self._saved(change(pace), etag):
                return

    async def _saved(self, pace: Pace, etag: str) -> bool:
        try:
            await self.store.save(pace, etag)
        except Conflict:
            return False
        return True

    def _id(self, subscription: str) -> str:
        return f"{subscription}.{self.region}"
