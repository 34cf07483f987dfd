"""`sluice up`: the whole local stack, until it is stopped."""

import argparse
import sys

from cli.options import Verbs, add_fleet, add_state, fail


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("up", help="run the app with a simulated Azure and fleet on this machine")
    add_fleet(parser)
    parser.add_argument("--flux-alerts", action="store_true", help="the clusters tell the app themselves how they fare")
    add_state(parser)
    parser.add_argument(
        "--events",
        choices=["EventGridSchema", "CloudEventSchemaV1_0"],
        default="",
        help="the simulated Azure tells the app of its events through Event Grid, in this schema",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from local.stack.errors import StackError

    try:
        return asyncio.run(_serve(options))
    except (OSError, StackError) as error:
        return fail(error)


async def _serve(options: argparse.Namespace) -> int:
    from local.stack.seed import Fleet
    from local.stack.signals import until_signalled
    from local.stack.stack import Stack

    told_by = {"flux_alerts": options.flux_alerts, "events": options.events}
    stack = Stack(options.state, fleet=Fleet(options.clusters, options.seed), port=options.port, **told_by)

    async def serve() -> int:
        async with stack:
            print(f"ready: {stack.host}", flush=True)
            print(stack.describe().table(), file=sys.stderr, flush=True)
            raise await stack.wait_until_one_ends()

    return await until_signalled(serve(), otherwise=lambda: 0)
