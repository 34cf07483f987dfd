"""`sluice status`: the rollouts, and what needs attention in them."""

import argparse
from typing import Any

from cli.options import Verbs, add_state, fail


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("status", help="show the newest rollouts")
    parser.add_argument("--json", action="store_true", help="print the rollouts with their targets and events as JSON")
    parser.add_argument("--url", help="the app's address (default: the running local stack)")
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from cli.api import ApiError
    from local.stack.errors import NoStack

    try:
        rollouts = asyncio.run(_read(options))
    except (ApiError, NoStack) as error:
        return fail(error)
    if options.json:
        import json

        print(json.dumps({"rollouts": rollouts}, indent=2))
    else:
        _show(rollouts)
    return 0


async def _read(options: argparse.Namespace) -> list[dict[str, Any]]:
    from cli.api import Api
    from local.stack import description

    async with Api(options.url or description.read(options.state).host) as api:
        return [await api.rollout(rollout["id"]) for rollout in await api.rollouts()]


def _show(rollouts: list[dict[str, Any]]) -> None:
    from rich.console import Console

    from local.demo import display

    console = Console()
    if not rollouts:
        console.print("no rollouts yet")
        return
    console.print(display.table(rollouts))
    for rollout in rollouts:
        for line in display.notable_targets(rollout):
            console.print(f"{rollout['id']}: {line}", markup=False)
