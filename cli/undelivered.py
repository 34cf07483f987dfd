"""`sluice undelivered`: messages that no channel has taken, those that wait for theirs, and how one is sent again."""

import argparse
from typing import TYPE_CHECKING, Any

from cli.asking import show_answer
from cli.options import Verbs, add_api

if TYPE_CHECKING:
    from cli.api import Api

_SHORT = 8
_BY_HAND = "sent again by hand"


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("undelivered", help="list messages that no channel has taken, or send one again")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--waiting", action="store_true", help="those that still wait for their channel, instead")
    what.add_argument("--resend", metavar="ID", help="send this one again; the beginning of its id will do")
    parser.add_argument("--reason", default=_BY_HAND, metavar="TEXT", help=f"of --resend, kept in the audit trail (default: {_BY_HAND})")
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="of the newest (default: 100)")
    parser.add_argument("--json", action="store_true", help="print them as JSON, as the API tells them")
    add_api(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.resend:
        return show_answer(options, _resend, print, as_json=False)
    return show_answer(options, _read, lambda found: _show(found, is_waiting=options.waiting), under="notifications")


async def _read(options: argparse.Namespace) -> list[dict[str, Any]]:
    from cli.api import connect

    found: list[dict[str, Any]] = []
    async with connect(options) as api:
        async for notification in api.notifications("collecting" if options.waiting else "failed"):
            if len(found) >= options.limit:
                break
            found.append(notification)
    return found


async def _resend(options: argparse.Namespace) -> str:
    from cli.api import connect

    async with connect(options) as api:
        found = await _find(api, options.resend)
        await api.resend(found["channel"], found["id"], {"reason": options.reason})
    return f"{found['id']}: on its way to {found['provider']}"


async def _find(api: "Api", beginning: str) -> dict[str, Any]:
    """The one undelivered message whose id begins so. Raises ApiError."""
    from cli.api import ApiError

    found = [each async for each in api.notifications("failed") if each["id"].startswith(beginning)]
    if not found:
        raise ApiError(f"no undelivered message begins with {beginning}")
    if len(found) > 1:
        raise ApiError(f"{len(found)} undelivered messages begin with {beginning}: {', '.join(each['id'] for each in found)}")
    return found[0]


def _show(found: list[dict[str, Any]], *, is_waiting: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not found:
        console.print("no message waits for its channel" if is_waiting else "every message was delivered")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "provider", "since", "attempts", "error", "message"):
        table.add_column(name, overflow="fold")
    for each in found:
        # Titles come from outside: as Text nothing in them is markup.
        table.add_row(*(Text(cell) for cell in _cells(each)))
    console.print(table)


def _cells(each: dict[str, Any]) -> list[str]:
    first, *others = each["titles"]
    return [
        each["id"][:_SHORT],
        each["provider"],
        each["createdAt"][:16].replace("T", " "),
        str(each["attempts"]),
        each["error"],
        f"{first} and {len(others)} more" if others else first,
    ]
