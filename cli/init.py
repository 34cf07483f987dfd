"""`sluice init`: makes the database and its containers where they are missing."""

import argparse

from cli.options import Verbs, fail


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("init", help="create the database and its containers (again: no change)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from shared import bootstrap
    from shared.domain.errors import SluiceError

    try:
        asyncio.run(bootstrap.create_database())
    except SluiceError as error:
        return fail(error)
    print("the database and its containers are there")
    return 0
