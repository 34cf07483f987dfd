"""`sluice digest`: when a digest comes, and what it would say now."""

import argparse
import base64
from pathlib import Path
from typing import Any

from cli.asking import show_answer
from cli.options import Verbs, add_api


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("digest", help="show when a digest comes; with --preview, what it would say now")
    parser.add_argument("name", metavar="NAME", help="its name in sluice.yaml")
    parser.add_argument("--preview", action="store_true", help="print what it would say now; sends nothing")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write its picture, a PNG, to this file")
    parser.add_argument("--json", action="store_true", help="print the answer of the API as JSON")
    add_api(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    def show(found: dict[str, Any]) -> None:
        print("\n".join([*_when(found), *(_said(found["preview"]) if options.preview else [])]))

    return show_answer(options, _read, show)


async def _read(options: argparse.Namespace) -> dict[str, Any]:
    from cli.api import connect

    async with connect(options) as api:
        found = await api.digest(options.name)
    if options.picture:
        _write_picture(options.picture, found["preview"]["picture"])
    return found


def _write_picture(file: Path, picture: str | None) -> None:
    """Raises OSError, and ApiError where there is none."""
    from cli.api import ApiError

    if not picture:
        raise ApiError("the digest has no picture yet: it has one once the fleet was looked at")
    file.write_bytes(base64.b64decode(picture))


def _when(found: dict[str, Any]) -> list[str]:
    last = f"last {found['lastAt']}" if found["lastAt"] else "not sent yet"
    return [f"{found['digest']}: {found['schedule']} to {found['provider']}, {last}, next {found['nextAt']}"]


def _said(preview: dict[str, Any]) -> list[str]:
    facts = preview["facts"]
    width = max((len(fact["label"]) for fact in facts), default=0)
    lines = ["", preview["title"], preview["summary"], "", *(f"{fact['label']:<{width}}  {fact['value']}" for fact in facts)]
    if preview["clusters"]:
        lines += ["", *(f"- {cluster['name']}: {cluster['reason']}" for cluster in preview["clusters"])]
    if preview["moreClusters"]:
        lines.append(f"  and {preview['moreClusters']:,} more")
    if preview["nextStep"]:
        lines += ["", f"Next: {preview['nextStep']}"]
    return [_printable(line) for line in lines]


def _printable(line: str) -> str:
    """Names and reasons come from outside: nothing in them may steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in line)
