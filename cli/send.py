"""`sluice send`: signs a payload as GitHub does and delivers it."""

import argparse
import os
from pathlib import Path

from cli.options import Verbs, add_state, fail


class MissingSecret(Exception):
    """There is nothing to sign with."""


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("send", help="sign a webhook payload and deliver it")
    parser.add_argument("file", type=Path, metavar="FILE", help="the payload; its bytes are sent as they are")
    parser.add_argument("--receiver", required=True, metavar="NAME", help="a receiver of sluice.yaml")
    parser.add_argument("--event", required=True, help="GitHub's event name, for example push")
    parser.add_argument("--delivery", metavar="ID", help="the delivery's id (default: a new one)")
    parser.add_argument("--url", help="the app's address (default: the running local stack)")
    parser.add_argument("--secret-env", metavar="NAME", help="environment variable that holds the secret (default: the stack's own)")
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from cli.api import ApiError
    from local.stack.errors import NoStack

    try:
        status, answer = asyncio.run(_deliver(options))
    except (ApiError, MissingSecret, NoStack, OSError) as error:
        return fail(error)
    print(f"{status} {answer}".rstrip())
    return fail(f"the delivery was refused with status {status}") if status >= 400 else 0


async def _deliver(options: argparse.Namespace) -> tuple[int, str]:
    from cli.api import Api
    from local.demo.push import signed_headers
    from local.stack import description

    body = options.file.read_bytes()
    headers = signed_headers(body, _secret(options), event=options.event, delivery=options.delivery)
    async with Api(options.url or description.read(options.state).host) as api:
        return await api.deliver(options.receiver, body, headers)


def _secret(options: argparse.Namespace) -> str:
    if options.secret_env:
        if secret := os.environ.get(options.secret_env):
            return secret
        raise MissingSecret(f"the environment variable {options.secret_env} is empty or missing")
    from local.stack import description

    files = description.read(options.state).receivers
    if options.receiver not in files:
        known = ", ".join(files) or "none"
        raise MissingSecret(f"the local stack has no secret for receiver {options.receiver} (it has: {known}): use --secret-env")
    return Path(files[options.receiver]).read_text()
