"""`sluice clusters`: which baseline each cluster has, and how far it is."""

import argparse
from typing import Any

from cli.asking import show_answer
from cli.options import Verbs, add_api


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("clusters", help="show the clusters on their way to their baselines")
    parser.add_argument(
        "--only", default="", metavar="STATE", help="only those in this state: starting, onboarding, done, failed, leaving, left"
    )
    parser.add_argument("--json", action="store_true", help="print all of them as JSON")
    add_api(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return show_answer(options, _read, _show, under="clusters")


async def _read(options: argparse.Namespace) -> list[dict[str, Any]]:
    from cli.api import connect

    async with connect(options) as api:
        return [cluster async for cluster in api.clusters(options.only)]


def _show(clusters: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not clusters:
        console.print("no cluster has a baseline yet")
        return
    table = Table("cluster", "baseline", "state", "step", "since", "reason", box=None)
    for one in clusters:
        name = f"{one['cluster']} ({one['offering']})" if one["offering"] != "Azure Arc" and one["offering"] else one["cluster"]
        why = "; ".join(filter(None, [one["reason"], *one["notes"]]))
        since = one["since"][:19].replace("T", " ")
        table.add_row(*(Text(text) for text in (name, one["baseline"], one["state"], one["step"], since, why)))
    console.print(table)
