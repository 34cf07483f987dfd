"""`make simulate-table`: how close a rollout comes to the least time in which anybody could do it, written to docs/simulation.md.

Figures of time do not depend on the machine: they are virtual. Only the CPU does. Nothing here passes or fails.
"""

import sys
from pathlib import Path
from statistics import median_low
from time import process_time
from typing import NamedTuple

from cli.simulation.model import Model
from cli.simulation.report import Report
from cli.simulation.simulate import simulate
from cli.simulation.strategies import BUILT_IN
from tests.bench.table import table

DOCUMENT = Path("docs/simulation.md")
#: How many fleets of each size: a large one is an average by itself, and takes its time.
_SEEDS = {10: 9, 100: 9, 1_000: 9, 10_000: 1}
_SUBSCRIPTIONS = (1, 10)
_BEGIN, _END = "<!-- table: begin -->", "<!-- table: end -->"


class Run(NamedTuple):
    report: Report
    cpu_seconds: float


def main() -> None:
    """Puts the table in place of the old one: the text around it is written by people."""
    before, _, rest = DOCUMENT.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    text = _measure()
    print(text)  # noqa: T201 -- this is what the command is for
    DOCUMENT.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}")


def _measure() -> str:
    rows = []
    for clusters, seeds in _SEEDS.items():
        for subscriptions in _SUBSCRIPTIONS:
            for strategy in BUILT_IN.strategies:
                runs = [
                    _run(Model(clusters=clusters, subscriptions=subscriptions, seed=seed), strategy.name) for seed in range(1, seeds + 1)
                ]
                rows.append([f"{clusters:,}", str(subscriptions), strategy.name, *_cells(runs)])
    seeds_text = ", ".join(f"{seeds} of {clusters:,}" for clusters, seeds in _SEEDS.items())
    note = f"Simulated fleets: {seeds_text} clusters. The times are those of the fleet with the median ratio."
    header = ["clusters", "subscriptions", "strategy", "makespan", "theoretical", "ratio", "largest ratio", "updates", "429s", "CPU s"]
    return table("Makespan and theory", note, header, rows)


def _run(model: Model, strategy: str) -> Run:
    begin = process_time()
    report = simulate(model, BUILT_IN, strategy)
    print(f"{model.clusters} {model.subscriptions} {strategy} {model.seed}: {report.ratio}", file=sys.stderr)  # noqa: T201 -- it takes minutes
    return Run(report, process_time() - begin)


def _cells(runs: list[Run]) -> list[str]:
    ratios = [run.report.ratio or 0.0 for run in runs]
    typical = runs[ratios.index(median_low(ratios))].report
    return [
        f"{typical.makespan_seconds or 0.0:,.0f} s",
        f"{typical.least_seconds or 0.0:,.0f} s",
        f"{median_low(ratios):.3f}",
        f"{max(ratios):.3f}",
        f"{typical.updates:,}",
        f"{sum(run.report.throttled for run in runs):,}",
        f"{median_low([run.cpu_seconds for run in runs]):.1f}",
    ]


if __name__ == "__main__":
    main()
