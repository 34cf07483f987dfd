"""`sluice status`: the rollouts, and what needs attention in them."""

import argparse
from typing import TYPE_CHECKING, Any

from cli.asking import show_answer
from cli.options import Verbs, add_api

if TYPE_CHECKING:
    from cli.api import Api


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("status", help="show the newest rollouts")
    parser.add_argument("--json", action="store_true", help="print the rollouts with their targets and events as JSON")
    add_api(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return show_answer(options, _read, _show, under="rollouts")


async def _read(options: argparse.Namespace) -> list[dict[str, Any]]:
    """As JSON each with its first thousand targets, else only with those that are shown."""
    from cli.api import connect

    async with connect(options) as api:
        ids = [rollout["id"] for rollout in await api.rollouts()]
        if options.json:
            return [await api.rollout(each) for each in ids]
        return [await _shown(api, each) for each in ids]


async def _shown(api: "Api", rollout_id: str) -> dict[str, Any]:
    from local.demo.display import NOTABLE

    rollout = await api.rollout(rollout_id, targets=False)
    present = {state for stage in rollout["stages"] for state in stage["counts"]}
    found = [await api.targets(rollout_id, state) for state in NOTABLE if state in present]
    return {**rollout, "targets": [target for targets in found for target in targets]}


def _show(rollouts: list[dict[str, Any]]) -> None:
    from rich.console import Console

    from local.demo import display

    console = Console()
    if not rollouts:
        console.print("no rollouts yet")
        return
    console.print(display.table(rollouts))
    for rollout in rollouts:
        for line in [*display.waits(rollout), *display.notable_targets(rollout)]:
            console.print(f"{rollout['id']}: {line}", markup=False)
