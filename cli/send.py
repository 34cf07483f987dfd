"""`sluice send`: signs a payload as the receiver's sender does, and delivers it."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cli.deliveries import NoDelivery, find_receiver, headers, read_config
from cli.options import Verbs, add_state, fail

if TYPE_CHECKING:
    from local.stack.description import Description
    from shared.config.models import Receiver

_ENVIRONMENT = "env://"


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("send", help="sign a webhook payload as its sender does, and deliver it")
    parser.add_argument("file", type=Path, metavar="FILE", help="the payload; its bytes are sent as they are")
    parser.add_argument("--receiver", required=True, metavar="NAME", help="a receiver of sluice.yaml, whose type says how to sign")
    parser.add_argument("--event-name", "--event", metavar="NAME", help="as the sender spells it (default: that of a push)")
    parser.add_argument("--delivery", metavar="ID", help="the delivery's id, where the sender sends one (default: a new one)")
    parser.add_argument("--url", help="the app's address (default: the running local stack)")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the app's sluice.yaml (default: the local stack's, with --url sluice.yaml)"
    )
    parser.add_argument("--secret-env", metavar="NAME", help="environment variable that holds the secret (default: what sluice.yaml names)")
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from cli.api import ApiError
    from local.stack.errors import NoStack
    from shared.domain.errors import SluiceError

    try:
        status, answer = asyncio.run(_deliver(options))
    except (ApiError, NoDelivery, NoStack, SluiceError, OSError) as error:
        return fail(error)
    print(f"{status} {answer}".rstrip())
    return fail(f"the delivery was refused with status {status}") if status >= 400 else 0


async def _deliver(options: argparse.Namespace) -> tuple[int, str]:
    from cli.api import Api

    stack = None if options.url else _stack(options)
    receiver = find_receiver(read_config(options.config or Path(stack.configuration if stack else "sluice.yaml")), options.receiver)
    body = options.file.read_bytes()
    secret = _secret(options, receiver, stack)
    sent = headers(receiver, body, secret, event=options.event_name, delivery=options.delivery)
    async with Api(options.url or (stack.host if stack else "")) as api:
        return await api.deliver(receiver.name, body, sent, token=secret if receiver.sender.takes_token else "")


def _stack(options: argparse.Namespace) -> "Description":
    from local.stack import description

    return description.read(options.state)


def _secret(options: argparse.Namespace, receiver: "Receiver", stack: "Description | None") -> str:
    """From the environment, or of the local stack. A vault is not asked: who may send need not be who may read it."""
    own = receiver.secret_ref.removeprefix(_ENVIRONMENT) if receiver.secret_ref.startswith(_ENVIRONMENT) else ""
    if name := options.secret_env or own:
        if secret := os.environ.get(name):
            return secret
        raise NoDelivery(f"the environment variable {name} is empty or missing")
    if stack and receiver.name in stack.receivers:
        return Path(stack.receivers[receiver.name]).read_text()
    raise NoDelivery(f"the secret of receiver {receiver.name} is not at hand here ({receiver.secret_ref}): use --secret-env")
