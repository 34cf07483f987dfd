"""`sluice init`: makes database, containers and queues where they are missing."""

import argparse

from cli.options import Verbs, fail


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("init", help="create database, containers and queues (again: no change)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from shared import bootstrap
    from shared.domain.errors import SluiceError

    try:
        asyncio.run(bootstrap.create_database())
    except SluiceError as error:
        return fail(error)
    print("database, containers and queues are there")
    return 0
