"""`sluice fleet`: what the fleet runs now, and what departs from what was asked."""

import argparse
import re
from typing import Any

from cli.asking import show_answer
from cli.options import Verbs, add_api

_FILTERS = {
    "compliance": "Compliant, Non-Compliant, Pending, Suspended or Unknown",
    "connectivity": "Connected, Offline, Expired, AgentNotInstalled or Connecting",
    "drift": "any, none, or a kind: spec, revision, suspended, missing, extension",
    "revision": "as Flux writes it, or the beginning of a commit",
    "cluster": "a cluster's name",
}
_SHORT = 12
_WHOLE = ("cluster", "connectivity", "compliance")  #: columns that are read at a glance


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("fleet", help="show every cluster: compliance, revision, connectivity, drift")
    for name, meaning in _FILTERS.items():
        parser.add_argument(f"--{name}", default="", metavar=name.upper(), help=meaning)
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="rows, 1 to 1000 (default: 100)")
    parser.add_argument("--json", action="store_true", help="print the answer of the API as JSON")
    add_api(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return show_answer(options, _read, _show)


async def _read(options: argparse.Namespace) -> dict[str, Any]:
    from cli.api import connect

    wanted = {name: getattr(options, name) for name in _FILTERS if getattr(options, name)}
    async with connect(options) as api:
        return await api.fleet({**wanted, "limit": str(options.limit)})


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console()
    if not found["sweptAt"]:
        console.print("the fleet was not looked at yet")
        return
    for line in _summary(found):
        console.print(line, markup=False, highlight=False)
    if found["fleet"]:
        console.print(_table(found["fleet"]))
    if len(found["fleet"]) < found["matching"]:
        console.print(f"{len(found['fleet']):,} of {found['matching']:,} rows: --limit shows more, --json tells where to go on")


def _summary(found: dict[str, Any]) -> list[str]:
    counts = found["counts"]
    lines = [f"{counts['clusters']:,} clusters, {counts['configurations']:,} fluxConfigurations, as of {found['sweptAt']}"]
    topics = [topic for topic in ("connectivity", "compliance", "drift", "extension") if counts[topic]]
    lines += [f"{topic}: {', '.join(f'{count:,} {state}' for state, count in sorted(counts[topic].items()))}" for topic in topics]
    if counts["fluxUnsupported"]:
        lines.append(f"{counts['fluxUnsupported']:,} clusters run a Flux extension that is out of support")
    if counts["policyNonCompliant"]:
        lines.append(f"{counts['policyNonCompliant']:,} clusters do not comply with Azure Policy")
    return lines


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("cluster", "configuration", "connectivity", "compliance", "revision", "flux", "drift"):
        table.add_column(name, overflow="fold", no_wrap=name in _WHOLE)
    for row in rows:
        # Names and reasons come from outside: as Text nothing in them is markup.
        table.add_row(*(Text(cell) for cell in _cells(row)))
    return table


def _cells(row: dict[str, Any]) -> list[str]:
    extension, drift = row["fluxExtension"], row.get("drift")
    return [
        row["cluster"],
        row.get("configuration", "-"),
        row["connectivity"],
        row.get("compliance", "-"),
        _revision(row.get("revision", "")),
        f"{extension['version']}{'' if extension['supported'] else ' (out of support)'}" if extension else "-",
        f"{drift['kind']}: {drift['detail']} (by {drift['by'] or 'someone unknown'})" if drift else "",
    ]


def _revision(revision: str) -> str:
    """`main@sha1:<hex>`, or as older Flux writes it `main/<hex>`, with its hash cut."""
    return re.sub(r"[0-9a-f]{40,64}$", lambda digits: digits[0][:_SHORT], revision)
