"""How the fleet was is kept, four times a day, for the pictures of later."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.domain.clock import Clock
from shared.domain.errors import Conflict
from shared.domain.fleet import Page
from shared.domain.selectors import Selector
from shared.domain.trend import Trend, add, count, selected, trend_id
from shared.ports import Trends


@dataclass(frozen=True)
class RecordTrend:
    """Writes only once the quarter of the day has turned: of the whole fleet, and of what each of `selectors` means."""

    trends: Trends
    selectors: Sequence[Selector]
    clock: Clock

    async def __call__(self, pages: Sequence[Page]) -> None:
        for selector in {trend_id(each): each for each in (Selector(), *self.selectors)}.values():
            trend, etag = await self.trends.trend(trend_id(selector))
            renewed = add(trend, count(selected(pages, selector)), self.clock())
            if renewed is not trend:
                await self._save(renewed, etag)

    async def _save(self, trend: Trend, etag: str) -> None:
        with suppress(Conflict):  # another instance has just kept the same
            await self.trends.save_trend(trend, etag)
