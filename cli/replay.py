"""`sluice replay`: messages that failed too often are listed, and put back when someone asks."""

import argparse

from cli import app_settings
from cli.options import Verbs, add_state, fail


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("replay", help="list buried messages, or put one back")
    parser.add_argument("id", nargs="?", help="of the message, as the alert and the list name it")
    add_state(parser)
    app_settings.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from local.stack.errors import NoStack
    from shared.domain.errors import SluiceError

    try:
        app_settings.use(options)
        print(asyncio.run(_replay(options.id)))
    except (app_settings.BadSettings, NoStack, SluiceError) as error:
        return fail(error)
    return 0


async def _replay(grave: str | None) -> str:
    from shared import bootstrap

    app = bootstrap.app()
    replay = app.replay()
    try:
        if grave:
            return f"put back into {await replay(grave)}"
        buried = await replay.buried()
    finally:
        await app.close()
    return "\n".join(f"{entry.id}  {entry.at.isoformat()}  {entry.resource}" for entry in buried) or "no message is buried"
