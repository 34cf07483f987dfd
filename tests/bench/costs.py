"""What a rollout costs: messages, database operations and, from the public figures, request units and money."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.stack.repository import deployment
from local.stack.seed import Fleet
from local.stack.stack import Stack
from tests.bench.table import table

_SIZES = (10, 100)
_SPEED = 20.0
#: A point read of 1 KB is 1 request unit and a write about 5, and 100 KB are 10 and 50 (learn.microsoft.com, request units in Azure Cosmos
#: DB), so in between; a query within a partition is taken for 3 and a tenth of a read for each document (a guess: it depends on the plan).
_READ, _READ_KB, _WRITE, _WRITE_KB, _QUERY = 1.0, 0.09, 5.0, 0.45, 3.0
#: Serverless Cosmos DB, a million request units, and ten thousand Storage queue operations, in US dollars (azure.microsoft.com/pricing,
#: as of this writing: look it up for your region). A message is put, got and deleted.
_MILLION_UNITS, _TEN_THOUSAND_OPERATIONS, _OPERATIONS_A_MESSAGE = 0.25, 0.004, 3


def measure() -> str:
    rows = [_row(size, figures) for size, figures in asyncio.run(_measure_all()).items()]
    note = (
        "One push through the real use cases, database client and simulated Azure, in two stages, from its planning to the last compliant "
        "cluster; counted, and so exact, but for request units and money, which are estimated from public figures (tests/bench/costs.py)."
    )
    header = ["clusters", "messages a target", "documents written", "point reads", "queries", "RU a target", "USD for 10,000 targets"]
    return table("What a rollout costs", note, header, rows)


async def _measure_all() -> dict[int, dict[str, Any]]:
    return {size: await _measure_one(size) for size in _SIZES}


async def _measure_one(size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), fleet=Fleet(clusters=size), speed=_SPEED) as stack:
            await stack.kill_host()
            repository = stack.state.repository
            before = repository.head()
            after = repository.commit({"clusters/base/till.yaml": deployment("2.0.0")}, "Move everything")
            command = [sys.executable, "-m", "tests.bench.whole", before, after]
            process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **stack.settings}, stdout=asyncio.subprocess.PIPE)
            output, _ = await process.communicate()
            if process.returncode:
                raise SystemExit(f"{' '.join(command)} failed")
            figures: dict[str, Any] = json.loads(output.splitlines()[-1])
            return figures


def _row(size: int, figures: dict[str, Any]) -> list[str]:
    database, messages = figures["database"], sum(figures["messages"].values())
    units = units_of(database)
    dollars = 10_000 / size * (units / 1e6 * _MILLION_UNITS + messages * _OPERATIONS_A_MESSAGE / 1e4 * _TEN_THOUSAND_OPERATIONS)
    each = [f"{database.get(name, 0) / size:.1f}" for name in ("written", "read", "queries")]
    return [f"{size:,}", f"{messages / size:.1f}", *each, f"{units / size:.0f}", f"{dollars:.2f}"]


def units_of(database: dict[str, int]) -> float:
    kilobytes = {name: database.get(f"{name} bytes", 0) / 1024 for name in ("read", "written", "found")}
    return (
        database.get("read", 0) * _READ
        + kilobytes["read"] * _READ_KB
        + database.get("written", 0) * _WRITE
        + kilobytes["written"] * _WRITE_KB
        + database.get("queries", 0) * _QUERY
        + database.get("found", 0) * _READ / 10
        + kilobytes["found"] * _READ_KB
    )
