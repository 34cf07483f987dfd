"""`sluice history`: which commit a cluster was asked to run when, and what became of it."""

import argparse
from typing import Any

from cli.asking import show_answer
from cli.options import Verbs, add_api

_SHORT = 12


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("history", help="show which commit a cluster ran when, by the audit trail")
    parser.add_argument("cluster", metavar="CLUSTER", help="its name, or the ARM id of it or of a fluxConfiguration")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="rows, 1 to 1000 (default: 50)")
    parser.add_argument("--json", action="store_true", help="print the answer of the API as JSON")
    add_api(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return show_answer(options, _read, lambda found: _show(found["history"]))


async def _read(options: argparse.Namespace) -> dict[str, Any]:
    from cli.api import connect

    async with connect(options) as api:
        return await api.history(options.cluster, options.limit)


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not rows:
        console.print("nothing was asked of it yet")
        return
    table = Table("at (UTC)", "configuration", "what", "revision", "by", "reason", box=None, pad_edge=False)
    for row in rows:
        name = row["configuration"].rpartition("/")[2]
        cells = (
            row["at"][:19].replace("T", " "),
            name,
            row["action"],
            row.get("revision", "")[:_SHORT],
            row.get("by", ""),
            row.get("reason", ""),
        )
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
