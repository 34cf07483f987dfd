"""`sluice cost`: what a month of a fleet costs in Azure, at public prices."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from cli.options import Verbs

if TYPE_CHECKING:
    from cli.bill.usage import Scale, Use

_MOST_CLUSTERS, _MOST_PUSHES = 1_000_000, 1_000_000


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("cost", help="estimate what a month costs in Azure, at public prices")
    parser.add_argument("--clusters", type=_count(1, _MOST_CLUSTERS), default=1_000, metavar="N", help="default: 1000")
    parser.add_argument(
        "--pushes", type=_count(0, _MOST_PUSHES), default=50, metavar="N", help="a month, each to every cluster (default: 50)"
    )
    parser.add_argument("--no-always-ready", action="store_true", help="without the instance that keeps cold starts from webhooks")
    parser.add_argument("--no-logs", action="store_true", help="without Log Analytics and Application Insights")
    parser.add_argument("--private", action="store_true", help="with private endpoints")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument("--table", action="store_true", help="print the table of docs/costs.md: 100, 1,000 and 10,000 clusters")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from cli.bill.table import markdown
    from cli.bill.usage import Scale, uses

    if options.table:
        print(markdown(options.pushes))
        return 0
    scale = Scale(
        clusters=options.clusters,
        pushes=options.pushes,
        always_ready=not options.no_always_ready,
        logs=not options.no_logs,
        private=options.private,
    )
    if options.json:
        _print_json(scale, uses(scale))
    else:
        _show(scale, uses(scale))
    return 0


def _print_json(scale: "Scale", found: "list[Use]") -> None:
    import dataclasses
    import json

    lines = [
        {"service": use.service, "unit": use.price.unit, "quantity": round(use.quantity, 1), "usd": round(use.dollars, 2)} for use in found
    ]
    print(json.dumps({"scale": dataclasses.asdict(scale), "lines": lines, "usdAMonth": round(sum(u.dollars for u in found), 2)}, indent=2))


def _show(scale: "Scale", found: "list[Use]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("service")
    table.add_column("a month", justify="right")
    table.add_column("of")
    table.add_column("USD", justify="right")
    for use in found:
        table.add_row(use.service, f"{use.quantity:,.0f}", use.price.unit, f"{use.dollars:,.2f}")
    total = sum(use.dollars for use in found)
    table.add_row("", "", "", "")
    table.add_row("together", "", f"{scale.clusters:,} clusters, {scale.pushes:,} pushes to each", f"{total:,.2f}", style="bold")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        "Public prices of East US, without taxes, contracts and traffic; counted where docs/benchmarks.md counts, else assumed: "
        "docs/costs.md says which.",
        style="dim",
    )


def _count(least: int, most: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        number = int(text) if text.isdecimal() else -1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be a number from {least} to {most}")
        return number

    return count
