"""`sluice init`: makes database, containers and queues where they are missing."""

import argparse

from cli import app_settings
from cli.options import Verbs, add_state, fail


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("init", help="create database, containers and queues (again: no change)")
    app_settings.add_to(parser)
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from local.stack.errors import NoStack
    from shared import bootstrap
    from shared.domain.errors import SluiceError

    try:
        app_settings.use(options)
        made = asyncio.run(bootstrap.create_database())
    except (app_settings.BadSettings, NoStack, SluiceError) as error:
        return fail(error)
    print(f"database, containers and queues are there: {', '.join(made)}")
    return 0
