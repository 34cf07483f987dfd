"""A process of its own that looks at the whole fleet again and again, and counts.

`python -m tests.bench.sweeping SIMULATOR CHANGES`, with the settings of a running stack without a host in the environment; prints JSON.
"""

import asyncio
import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from local.stack.simulator import Simulator
from shared import bootstrap
from shared.bootstrap import App
from shared.domain.fleet import page_number
from tests.bench.whole import CountingDatabase

_MIB = 1024  #: KiB
_GRAPH = "POST resources"  #: as the simulator counts Resource Graph's queries


class PagesDatabase(CountingDatabase):
    """Counts beside all documents those that are pages of the fleet."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.pages: Counter[str] = Counter()

    def _count(self, what: str, document: Mapping[str, Any]) -> None:
        super()._count(what, document)
        if document.get("type") == "fleet-page":
            self.pages["written" if what == "written" else "read"] += 1


async def measure(azure: str, changes: int) -> list[dict[str, Any]]:
    """Figures of the first look, of one at the same fleet, and of one after `changes` clusters have gone offline."""
    app = bootstrap.app()
    settings = app.settings
    database = PagesDatabase(settings.cosmos_endpoint, settings.cosmos_database, settings.cosmos_key)
    vars(app).update(database=database)
    async with Simulator(azure, Path(os.environ["SSL_CERT_FILE"])) as simulator:
        found = [await _sweep("first", app, database, simulator), await _sweep("nothing new", app, database, simulator)]
        for cluster in await _of_different_pages(simulator, settings.sluice_subscriptions, changes):
            await simulator.post(f"clusters/{cluster}/connectivity", {"state": "Offline"})
        found.append(await _sweep(f"{changes} changes", app, database, simulator))
    await app.close()
    return found


async def _sweep(look: str, app: App, database: PagesDatabase, simulator: Simulator) -> dict[str, Any]:
    database.counts.clear()
    database.pages.clear()
    before, began = await _calls(simulator), perf_counter()
    sweep = await app.sweep_fleet()
    await sweep(holder=look)
    seconds, counts, pages = perf_counter() - began, dict(database.counts), dict(database.pages)
    members = [member for page, _ in await app.fleet_pages.pages() for member in page.members.values()]
    return {
        "look": look,
        "rows": sum(max(1, len(member.entries)) for member in members),
        "calls": await _calls(simulator) - before,
        "database": counts,
        "pages": pages,
        "seconds": seconds,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB,
    }


async def _calls(simulator: Simulator) -> int:
    return int((await simulator.get("stats"))["byType"].get(_GRAPH, 0))


async def _of_different_pages(simulator: Simulator, subscriptions: Sequence[str], count: int) -> list[str]:
    """Clusters of which no two share a page: what ten changes cost at most."""
    chosen: dict[int, str] = {}
    for cluster in await simulator.get("clusters"):
        if cluster["subscription"] in subscriptions:
            chosen.setdefault(page_number(cluster["id"]), cluster["name"])
    return list(chosen.values())[:count]


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(asyncio.run(measure(arguments[0], int(arguments[1])))))  # noqa: T201 -- its output is what it is for


if __name__ == "__main__":
    main(sys.argv[1:])
