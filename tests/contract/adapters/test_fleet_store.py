"""The fleet's pages, and what was asked of the whole fleet, on the Cosmos DB emulator with the real sealer."""

import zlib
from datetime import timedelta

import filled
import pytest
from msgspec.structs import replace

from shared.azure.cosmos.configurations import CosmosConfigurations
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.fleet import CosmosFleet, PackedPage, pack, unpack
from shared.azure.sealing import EnvelopeSealer
from shared.domain.errors import Conflict, Malformed
from shared.domain.fleet import PAGES, Page, page_id
from shared.domain.sweeps import Sweep


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
