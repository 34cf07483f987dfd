"""The stored pages of the fleet in memory."""

from fakes import Faults, Shelf

from shared.domain.fleet import PAGES, Page, page_id
from shared.domain.periods import Marks
from shared.domain.sweeps import Sweep
from shared.domain.trend import Trend


class FakeFleetPages:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[Page] = Shelf(faults)
        self.sweeps: Shelf[Sweep] = Shelf(faults)
        self.saved: list[Page] = []
        self.trends: Shelf[Trend] = Shelf(faults)

    async def pages(self) -> list[tuple[Page, str]]:
        ids = [page_id(number) for number in range(PAGES)]
        return [await self.page(each) for each in ids]

    async def page(self, page_id: str) -> tuple[Page, str]:
        return await self.kept.get(page_id) or (Page(id=page_id), "")

    async def save_page(self, page: Page, etag: str) -> str:
        saved = await self.kept.save(page.id, page, etag)
        self.saved.append(page)
        return saved

    async def sweep(self) -> tuple[Sweep, str]:
        return await self.sweeps.get("sweep") or (Sweep(), "")

    async def save_sweep(self, sweep: Sweep, etag: str) -> str:
        return await self.sweeps.save("sweep", sweep, etag)

    async def trend(self, trend_id: str) -> tuple[Trend, str]:
        return await self.trends.get(trend_id) or (Trend(id=trend_id), "")

    async def save_trend(self, trend: Trend, etag: str) -> str:
        return await self.trends.save(trend.id, trend, etag)


class FakeDigestMarks:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[Marks] = Shelf(faults)

    async def get(self) -> tuple[Marks, str]:
        return await self.kept.get("marks") or (Marks(), "")

    async def save(self, marks: Marks, etag: str) -> None:
        await self.kept.save("marks", marks, etag)
