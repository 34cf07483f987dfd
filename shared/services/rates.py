"""How many proven deliveries of a receiver are planned at once, by all instances together.

None is lost: what is over the rate is recorded like any other, and planned in its turn. An instance takes slots by the tenth of the
rate, one conditional write for all of them, so that no document is written with every delivery; what it does not use within a
minute is void. So the rate holds to within a tenth an instance, and never for longer than a minute.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.config.fields import limit
from shared.config.models import Receiver
from shared.domain.clock import Clock
from shared.domain.errors import Conflict, Refused, Upstream
from shared.domain.pace import reserve, room
from shared.domain.record import digest
from shared.log import event_logger
from shared.ports import PaceStore

log = event_logger("sluice.rates")

_LEASE = timedelta(minutes=1)
_LEASED_SHARE = 10  #: an instance takes this part of the rate at a time
#: A sender that is so far ahead of its rate is no busy one, but one that runs wild: what it sends then is refused.
LONGEST_WAIT = timedelta(hours=1)
_RETRY_AFTER_SECONDS = 60


@dataclass(frozen=True)
class Rates:
    """Lives as long as the process: it remembers the slots that this instance has taken."""

    store: PaceStore
    clock: Clock
    leased: dict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))
    turns: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def slot(self, receiver: Receiver) -> datetime:
        """When a delivery that is proven may be planned: now, unless the receiver is over its rate.

        Raises Refused 429 where that would be over an hour away.
        """
        slots = self.leased[receiver.name]
        async with self.turns[receiver.name]:  # so that deliveries that come at once share what the first one takes
            while slots and slots[0] + _LEASE < self.clock():
                slots.popleft()
            if not slots:
                slots.extend(await self._lease(receiver))
            return max(slots.popleft(), self.clock())

    async def _lease(self, receiver: Receiver) -> Iterable[datetime]:
        try:
            return await self._reserve(receiver)
        except Upstream as error:
            # The rate spares us work; it is no reason to lose a push.
            log.warning("rate.unknown", extra={"receiver": receiver.name, "error": type(error).__name__})
            return [self.clock()]

    async def _reserve(self, receiver: Receiver) -> Iterable[datetime]:
        rate = limit(receiver.rate_limit)
        while True:
            pace, etag = await self.store.get(digest("receiver", receiver.name))
            now = self.clock()
            count = min(max(1, rate.burst // _LEASED_SHARE), room(pace, now, LONGEST_WAIT, rate))
            if count == 0:
                raise Refused(429, "rate-exceeded", retry_after=_RETRY_AFTER_SECONDS)
            reserved, slots = reserve(pace, count, now, rate)
            try:
                await self.store.save(reserved, etag)
            except Conflict:
                continue
            return slots
