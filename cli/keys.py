"""`sluice keys`: the data keys that seal what is stored. What is sealed already stays readable through all of it."""

import argparse

from cli import app_settings
from cli.options import Verbs, add_state, fail

_ACTS = {
    "list": "show the scopes: fleet, and one a subscription",
    "rotate": "seal what is new with a new data key",
    "rewrap": "wrap the data keys with the newest version of the key-encryption key",
}


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("keys", help="list, rotate and rewrap the data keys")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    for act, what in _ACTS.items():
        each = acts.add_parser(act, help=what)
        if act != "list":
            each.add_argument("--scope", metavar="ID", help="one scope only (default: all)")
        add_state(each)
        app_settings.add_to(each)
        each.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from local.stack.errors import NoStack
    from shared.domain.errors import SluiceError

    try:
        app_settings.use(options)
        asyncio.run(_act(options))
    except (app_settings.BadSettings, NoStack, SluiceError) as error:
        return fail(error)
    return 0


async def _act(options: argparse.Namespace) -> None:
    from shared import bootstrap

    app = bootstrap.app()
    try:
        only = getattr(options, "scope", None)
        for scope in [only] if only else await app.data_keys.scopes():
            if options.act == "list":
                print(scope)
            elif options.act == "rotate":
                print(f"{scope}: now version {await app.sealer.rotate(scope)}")
            else:
                await app.sealer.rewrap(scope)
                print(f"{scope}: rewrapped")
    finally:
        await app.close()
