"""What a step of a rollout costs, from ten targets to ten thousand, on the real adapters and the local servers."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from local.stack.seed import Fleet
from local.stack.stack import Stack
from tests.bench.table import table

_SIZES = (10, 100, 1_000, 10_000)


def measure() -> str:
    rows = [_row(size, figures) for size, figures in asyncio.run(_measure_all()).items()]
    note = (
        "`step_rollout` with the real Cosmos DB and queue clients: CPU of one message, which changes so many targets at most and leaves "
        "the rest to the next (budget: 2 s and 256 MB). The process is new for each size, so its first step pays for the imports."
    )
    header = [
        "targets",
        "steps",
        "median CPU ms",
        "largest CPU ms",
        "CPU ms a target",
        "peak MiB",
        "bytes a target",
        "bytes of the rollout",
    ]
    return table("Steps of a rollout", note, header, rows)


async def _measure_all() -> dict[int, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), fleet=Fleet(clusters=1)) as stack:
            return {size: await _measure_one(size, stack.settings) for size in _SIZES}


async def _measure_one(size: int, settings: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.stepping", str(size)]
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **settings}, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    figures: dict[str, Any] = json.loads(output.splitlines()[-1])
    return figures


def _row(size: int, figures: dict[str, Any]) -> list[str]:
    steps = [seconds * 1000 for seconds in figures["steps"]]
    return [
        f"{size:,}",
        str(len(steps)),
        f"{median(steps):.0f}",
        f"{max(steps):.0f}",
        f"{2 * sum(steps) / figures['changes']:.1f}",
        f"{figures['mib']:.0f}",
        f"{figures['target_bytes']:,}",
        f"{figures['rollout_bytes']:,}",
    ]
