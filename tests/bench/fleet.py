"""What a look at the whole fleet costs, at ten thousand clusters with three fluxConfigurations each."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.stack import repository
from local.stack.seed import CONFIGURATION, Fleet
from local.stack.simulator import Simulator
from local.stack.stack import Stack
from tests.bench.costs import units_of
from tests.bench.table import table

_SIZES = (100, 10_000)
_CONFIGURATIONS, _CHANGES = 3, 10


def measure() -> str:
    rows = [row for size, sweeps in asyncio.run(_measure_all()).items() for row in _rows(size, sweeps)]
    note = (
        f"`sweep_fleet` with the real clients and the simulated Azure: the first look, one at a fleet without changes, and one "
        f"in which {_CHANGES} clusters have, each on another page ({_CONFIGURATIONS} fluxConfigurations a cluster). A page is the stored "
        "document; beside pages the turn is written twice, and what people are told. One process; request units estimated as above."
    )
    header = ["clusters", "look", "rows", "Resource Graph calls", "pages written", "pages read", "RU", "seconds", "peak MiB"]
    return table("A look at the whole fleet", note, header, rows)


async def _measure_all() -> dict[int, list[dict[str, Any]]]:
    return {size: await _measure_one(size) for size in _SIZES}


async def _measure_one(size: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), fleet=Fleet(clusters=1)) as stack:
            await stack.kill_host()
            authority = Path(stack.settings["SSL_CERT_FILE"])
            async with Simulator(stack.azure, authority) as simulator:
                made = await simulator.post("fleet", _order(size))
            # Not the stack's own cluster: the figures are of just so many.
            environment = {**os.environ, **stack.settings, "SLUICE_SUBSCRIPTIONS": ",".join(made["subscriptions"])}
            command = [sys.executable, "-m", "tests.bench.sweeping", stack.azure, str(_CHANGES)]
            process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
            output, _ = await process.communicate()
            if process.returncode:
                raise SystemExit(f"{' '.join(command)} failed")
            figures: list[dict[str, Any]] = json.loads(output.splitlines()[-1])
            return figures


def _order(size: int) -> dict[str, object]:
    return {
        "clusters": size,
        "repository": repository.URL,
        "configuration": CONFIGURATION,
        "configurationsEach": _CONFIGURATIONS,
        "prefix": "edge",
        "seed": 2,
        "subscriptions": 10,
    }


def _rows(size: int, sweeps: list[dict[str, Any]]) -> list[list[str]]:
    return [
        [
            f"{size:,}",
            sweep["look"],
            f"{sweep['rows']:,}",
            str(sweep["calls"]),
            str(sweep["pages"].get("written", 0)),
            str(sweep["pages"].get("read", 0)),
            f"{units_of(sweep['database']):,.0f}",
            f"{sweep['seconds']:.1f}",
            f"{sweep['mib']:.0f}",
        ]
        for sweep in sweeps
    ]
