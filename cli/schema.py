"""`sluice schema`: the JSON Schema of sluice.yaml, for editors."""

import argparse

from cli.options import Verbs


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("schema", help="print the JSON Schema of sluice.yaml")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import json

    from shared.config.loader import schema

    print(json.dumps(schema(), indent=2))
    return 0
