"""What a cold start pays before the first byte of a request: the CPU of the imports."""

import os
import subprocess
import sys
from statistics import median

from tests.bench.table import table

_RUNS = 9
_IMPORTS = ("pass", "import azure.functions", "import function_app")


def measure() -> str:
    # In turn, so that a machine that changes its speed changes it for all.
    samples: dict[str, list[float]] = {statement: [] for statement in _IMPORTS}
    for run in range(_RUNS + 1):
        for statement in _IMPORTS:
            seconds = _cpu_seconds(statement)
            if run:  # the first fills the caches
                samples[statement].append(seconds)
    cpu = {statement: median(values) for statement, values in samples.items()}
    ratio = cpu["import function_app"] / cpu["import azure.functions"]
    rows = [[f"`{statement}`", f"{cpu[statement] * 1000:.0f}"] for statement in _IMPORTS]
    note = f"CPU of a fresh interpreter, {_RUNS} runs. **`import function_app` costs {ratio:.2f} x `import azure.functions`** (budget: 2)."
    return table("Cold start", note, ["statement", "CPU ms"], rows)


def _cpu_seconds(statement: str) -> float:
    child = subprocess.Popen([sys.executable, "-c", statement])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"`{statement}` failed")
    return usage.ru_utime + usage.ru_stime
