"""`sluice pause`, `resume`, `abort`, `rollback` and `retry`: what people do to a rollout."""

import argparse
from typing import Any

from cli.options import Verbs, add_api, fail

_ACTS = {
    "pause": "send no more updates; what is under way is still watched",
    "resume": "go on where it was paused: failures so far are accepted, expired gates are asked again",
    "abort": "end it: clusters stay as they are",
    "rollback": "set each cluster back to its own previous revision",
    "retry": "try the failed clusters again",
}


def add_to(verbs: Verbs) -> None:
    for act, what in _ACTS.items():
        parser = verbs.add_parser(act, help=what)
        parser.add_argument("rollout", metavar="ROLLOUT", help="its id, or the beginning of one of the newest")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the audit trail and told to people")
        if act == "rollback":
            parser.add_argument("--stage", metavar="NAME", help="only this stage (default: all that have begun)")
        add_api(parser)
        parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from cli.api import ApiError
    from local.stack.errors import NoStack

    try:
        rollout = asyncio.run(_act(options))
    except (ApiError, NoStack) as error:
        return fail(error)
    reason = f": {rollout['reason']}" if rollout["reason"] else ""
    print(f"{rollout['id']}: {rollout['state']}{reason}")
    return 0


async def _act(options: argparse.Namespace) -> dict[str, Any]:
    from cli.api import connect

    body = {"reason": options.reason}
    if stage := getattr(options, "stage", None):
        body["stage"] = stage
    async with connect(options) as api:
        return await api.act(await api.find(options.rollout), options.verb, body)
