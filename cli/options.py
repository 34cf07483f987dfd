"""What several verbs share: options, and how a failure is told."""

import argparse
import sys
from pathlib import Path
from typing import TypeAlias

#: What argparse's add_subparsers gives; it has no public name.
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - see above


def add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", type=Path, default=Path(".sluice"), metavar="DIR", help="the stack's state (default: .sluice)")


def add_api(parser: argparse.ArgumentParser) -> None:
    """Where the app is, and what opens it. A key in an environment variable stays out of the shell's history."""
    parser.add_argument("--url", help="the app's address (default: the running local stack)")
    parser.add_argument("--key", metavar="KEY", help="a function key (default: $SLUICE_KEY; a bearer token is taken from $SLUICE_TOKEN)")
    add_state(parser)


def add_fleet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clusters", type=_at_least_one, default=50, metavar="N", help="simulated Arc clusters (default: 50)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed gives the same fleet (default: 1)")
    parser.add_argument("--port", type=_port, default=7071, metavar="P", help="of the app, 0 for a free one (default: 7071)")


def fail(reason: object) -> int:
    """Tells what went wrong on stderr; the exit status."""
    print(f"sluice: {reason}", file=sys.stderr)
    return 1


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return number
