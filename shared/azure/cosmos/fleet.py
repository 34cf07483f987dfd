"""Container `fleet`: the pages of the fleet in one partition, whose turn it is to look at it in another, how it was in a third."""

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.errors import Malformed
from shared.domain.fleet import PAGES, Page, page_id
from shared.domain.record import Record
from shared.domain.sweeps import Sweep
from shared.domain.trend import Trend
from shared.ports import Sealer

_PAGES, _SWEEP, _TRENDS = "pages", "sweep", "trends"
_LARGEST = 64 * 1024 * 1024  #: bytes of a page, unpacked


class PackedPage(Record, frozen=True):
    """A page as it is stored: clusters resemble each other, so it takes a tenth of the room, and of the request units."""

    id: str
    sweep: int
    content: bytes  #: zlib (RFC 1950) over JSON


PAGE: Document[PackedPage] = Document(
    struct=PackedPage,
    kind="fleet-page",
    version=1,
    container="fleet",
    place=lambda page: (_PAGES, page.id),
    clear=frozenset({"id", "sweep"}),
)
SWEEP: Document[Sweep] = Document(
    struct=Sweep,
    kind="fleet-sweep",
    version=1,
    container="fleet",
    place=lambda _: (_SWEEP, _SWEEP),
    clear=frozenset({"number", "holder", "heldUntil", "beganAt", "finished", "finishedAt", "askedUntil"}),
)
TREND: Document[Trend] = Document(
    struct=Trend,
    kind="fleet-trend",
    version=1,
    container="fleet",
    place=lambda trend: (_TRENDS, trend.id),
    clear=frozenset({"id"}),
)


@dataclass(frozen=True)
class CosmosFleet:
    """Implements ports.FleetPages and ports.Trends."""

    database: Database
    sealer: Sealer

    async def pages(self) -> list[tuple[Page, str]]:
        found = self.database.query("fleet", "SELECT * FROM c WHERE c.part = @part", {"@part": _PAGES}, partition=_PAGES)
        stored = {document["id"]: document async for document in found}
        ids = [page_id(number) for number in range(PAGES)]
        return [
            (unpack(await self._pages.decode(stored[each])), str(stored[each]["_etag"])) if each in stored else (Page(id=each), "")
            for each in ids
        ]

    async def pages_since(self, sweep: int) -> AsyncIterator[Page]:
        """The pages that a later sweep than this one has written."""
        text = "SELECT * FROM c WHERE c.part = @part AND c.sweep > @sweep"
        async for document in self.database.query("fleet", text, {"@part": _PAGES, "@sweep": sweep}, partition=_PAGES):
            yield unpack(await self._pages.decode(document))

    async def page(self, page_id: str) -> tuple[Page, str]:
        found = await self._pages.get(_PAGES, page_id)
        return (unpack(found[0]), found[1]) if found else (Page(id=page_id), "")

    async def save_page(self, page: Page, etag: str) -> str:
        return await self._pages.save(pack(page), etag)

    async def sweep(self) -> tuple[Sweep, str]:
        return await self._sweeps.get(_SWEEP, _SWEEP) or (Sweep(), "")

    async def save_sweep(self, sweep: Sweep, etag: str) -> str:
        return await self._sweeps.save(sweep, etag)

    async def trend(self, trend_id: str) -> tuple[Trend, str]:
        return await self._trends.get(_TRENDS, trend_id) or (Trend(id=trend_id), "")

    async def save_trend(self, trend: Trend, etag: str) -> str:
        return await self._trends.save(trend, etag)

    @property
    def _trends(self) -> Shelf[Trend]:
        return Shelf(self.database, self.sealer, TREND)

    @property
    def _pages(self) -> Shelf[PackedPage]:
        return Shelf(self.database, self.sealer, PAGE)

    @property
    def _sweeps(self) -> Shelf[Sweep]:
        return Shelf(self.database, self.sealer, SWEEP)


def pack(page: Page) -> PackedPage:
    return PackedPage(id=page.id, sweep=page.sweep, content=zlib.compress(msgspec.json.encode(page)))


def unpack(packed: PackedPage) -> Page:
    """Raises Malformed."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed.content, _LARGEST)
        page = msgspec.json.decode(content, type=Page) if unpacker.eof else None
    except (zlib.error, msgspec.DecodeError) as error:
        raise Malformed(f"fleet document {packed.id}: {error}") from None
    if page is None:
        raise Malformed(f"fleet document {packed.id}: its content is not whole, or larger than {_LARGEST} bytes")
    return page
