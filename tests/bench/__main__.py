"""`make bench`: what users pay for, measured on this machine, printed and written to docs/benchmarks.md.

Absolute figures move with the machine; the ratios, taken in one run, less. Nothing here passes or fails.
"""

import platform
from pathlib import Path

from tests.bench import cold_start, core, costs, fleet, planning, steps

DOCUMENT = Path("docs/benchmarks.md")


def main() -> None:
    sections = [
        cold_start.measure(),
        core.measure_receiver(),
        planning.measure(),
        core.measure_advance(),
        steps.measure(),
        costs.measure(),
        fleet.measure(),
        core.measure_sealing(),
    ]
    text = "\n\n".join([_heading(), *sections]) + "\n"
    print(text)  # noqa: T201 -- this is what the command is for
    DOCUMENT.write_text(text)


def _heading() -> str:
    where = f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}"
    return f"# Benchmarks\n\nMade by `make bench` ({where}). Medians; ratios of one run are what to compare."


main()
