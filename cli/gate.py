"""`sluice approve` and `sluice reject`: an answer at a gate."""

import argparse
from typing import Any

from cli.options import Verbs, add_api, fail

_ANSWERS = {"approve": "say yes at a gate", "reject": "say no at a gate: the rollout is aborted"}


def add_to(verbs: Verbs) -> None:
    for answer, what in _ANSWERS.items():
        parser = verbs.add_parser(answer, help=what)
        parser.add_argument("rollout", metavar="ROLLOUT", help="its id, or the beginning of one of the newest")
        parser.add_argument("gate", metavar="GATE", help="the gate's name, as `sluice status` shows it")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the audit trail and told to people")
        parser.add_argument("--stage", metavar="NAME", help="the gate's stage (default: the one that has a gate of that name)")
        add_api(parser)
        parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from cli.api import ApiError
    from local.stack.errors import NoStack

    try:
        gate = asyncio.run(_answer(options))
    except (ApiError, NoStack) as error:
        return fail(error)
    approvals = sum(verdict["approved"] for verdict in gate["verdicts"])
    said = f"{approvals} of {gate['required']} approvals" if options.verb == "approve" else "rejected"
    print(f"{gate['name']}: {said}")
    return 0


async def _answer(options: argparse.Namespace) -> dict[str, Any]:
    """The gate after the answer."""
    from cli.api import connect

    async with connect(options) as api:
        rollout_id = await api.find(options.rollout)
        stage = options.stage or _stage_of(await api.rollout(rollout_id, targets=False), options.gate)
        answered = await api.answer(rollout_id, stage, options.gate, options.verb, {"reason": options.reason})
    gates = next(each["gates"] for each in answered["stages"] if each["name"] == stage)
    found: dict[str, Any] = next(each for each in gates if each["name"] == options.gate)
    return found


def _stage_of(rollout: dict[str, Any], gate: str) -> str:
    """The only stage with such a gate; where several have one, the one that waits at it. Raises ApiError."""
    from cli.api import ApiError

    having = [(stage["name"], each) for stage in rollout["stages"] for each in stage["gates"] if each["name"] == gate]
    if not having:
        known = ", ".join(each["name"] for stage in rollout["stages"] for each in stage["gates"]) or "none"
        raise ApiError(f"rollout {rollout['id']} has no gate {gate}; its gates are {known}")
    waiting = [name for name, each in having if each["state"] == "waiting" and each["askedAt"]]
    names = [name for name, _ in having] if len(having) == 1 else waiting
    if len(names) != 1:
        raise ApiError(f"stages {', '.join(name for name, _ in having)} have a gate {gate}: name one with --stage")
    return str(names[0])
