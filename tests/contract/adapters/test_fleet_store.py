"""The fleet's pages, and what was asked of the whole fleet, on the Cosmos DB emulator with the real sealer."""

import json
import zlib
from datetime import timedelta

import filled
import pytest
from msgspec.structs import replace

from shared.azure.cosmos.configurations import CosmosConfigurations
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.deliveries import CosmosDeliveries
from shared.azure.cosmos.digest_marks import CosmosDigestMarks
from shared.azure.cosmos.fleet import CosmosFleet, PackedPage, pack, unpack
from shared.azure.sealing import EnvelopeSealer
from shared.domain.errors import Conflict, Malformed
from shared.domain.fleet import PAGES, Page, page_id
from shared.domain.periods import Marks
from shared.domain.sweeps import Sweep
from shared.domain.trend import STEP, Counts, Trend, add


async def test_all_pages_are_there_from_the_beginning(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosFleet(database, sealer)
    assert await store.pages() == [(Page(id=page_id(number)), "") for number in range(PAGES)]
    page = unpack(filled.fleet_page())
    etag = await store.save_page(page, "")
    assert (await store.pages())[7] == (page, etag) == await store.page("07")
    assert await store.page("08") == (Page(id="08"), "")
    with pytest.raises(Conflict):
        await store.save_page(page, "")


async def test_a_sweep_is_kept_by_etag(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosFleet(database, sealer)
    assert await store.sweep() == (Sweep(), "")
    etag = await store.save_sweep(filled.fleet_sweep(), "")
    assert await store.sweep() == (filled.fleet_sweep(), etag)
    with pytest.raises(Conflict):
        await store.save_sweep(filled.fleet_sweep(), "")


async def test_a_trend_of_each_is_kept_by_etag_and_is_no_page(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosFleet(database, sealer)
    assert await store.trend("all") == (Trend(), "")
    one, other = Trend(), filled.trend()
    for point in range(3):
        one = add(one, Counts(clusters=point), filled.later(point * STEP.total_seconds()))
    etag = await store.save_trend(one, "")
    await store.save_trend(other, "")
    assert await store.trend("all") == (one, etag)
    assert (await store.trend(other.id))[0] == other
    with pytest.raises(Conflict):
        await store.save_trend(one, "")
    assert [page for page, etag in await store.pages() if etag] == []


async def test_a_whole_trend_is_small(database: Database, sealer: EnvelopeSealer) -> None:
    """12 weeks of a large fleet: what is read at each look, and written four times a day."""
    store, trend = CosmosFleet(database, sealer), Trend()
    counts = Counts(clusters=10_000, connected=9_990, offline=10, configurations=30_000, compliant=29_000, non_compliant=900, drifted=40)
    for point in range(500):
        trend = add(trend, counts, filled.later(point * STEP.total_seconds()))
    await store.save_trend(trend, "")
    document = await database.read("fleet", "all", "trends")
    assert len(trend.points) <= 12 * 7 * 4 + 4
    assert len(json.dumps(document)) < 100_000


async def test_marks_of_digests_are_kept_by_etag(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosDigestMarks(database, sealer)
    assert await store.get() == (Marks(), "")
    await store.save(filled.digest_marks(), "")
    found, etag = await store.get()
    assert found == filled.digest_marks()
    await store.save(found, etag)
    for stale in ("", etag):
        with pytest.raises(Conflict):
            await store.save(found, stale)


async def test_messages_that_reached_nobody_are_counted_in_every_channel(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosDeliveries(database, sealer)
    assert await store.count_failed() == 0
    for number, state in enumerate(("failed", "failed", "sent", "collecting")):
        await store.create(replace(filled.delivery(), id=f"d{number}", channel=f"c{number}", state=state))
    assert await store.count_failed() == 2


DAMAGED = {
    "empty": b"",
    "not packed": b"not packed",
    "cut": pack(Page(id="07")).content[:-5],
    "cut early": filled.fleet_page().content[:99],
    "no page": zlib.compress(b"[]"),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_page_that_is_damaged_is_refused_by_its_id(content: bytes) -> None:
    with pytest.raises(Malformed, match="07"):
        unpack(PackedPage(id="07", sweep=1, content=content))


async def test_what_was_asked_is_found_in_every_partition_from_a_moment_on(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosConfigurations(database, sealer)
    for number in range(5):
        record = replace(filled.configuration(), id=f"c{number}", cluster_id=f"k{number}", applied_at=filled.later(number))
        await store.save(record, "")
    await store.save(replace(filled.configuration(), id="c9", cluster_id="k9", applied_at=None), "")
    assert {record.id async for record in store.asked_since(None)} == {"c0", "c1", "c2", "c3", "c4"}
    since = filled.later(3) - timedelta(milliseconds=1)
    assert {record.id async for record in store.asked_since(since)} == {"c3", "c4"}
