"""`sluice demo`: a pushed commit on its way through a fleet, from nothing to the end."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from cli.options import Verbs, add_fleet, add_state, fail

if TYPE_CHECKING:
    from rich.console import Console

    from cli.api import Api
    from local.stack.simulator import Simulator
    from local.stack.stack import Stack

_LONGEST_SECONDS = 300.0
_POLL_SECONDS = 0.5
_QUIET_SECONDS = 3.0
_LONGEST_SETTLING_SECONDS = 20.0
_UNDER_WAY = ("running",)


class DemoFailed(Exception):
    """The demo could not be played to its end."""


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("demo", help="show a signed push moving a simulated fleet (what `make run` does)")
    add_fleet(parser)
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 only when every target became compliant."""
    from cli.api import ApiError
    from local.stack.errors import StackError

    try:
        return 0 if asyncio.run(_show(options)) else 1
    except (ApiError, DemoFailed, OSError, StackError) as error:
        return fail(error)


async def _show(options: argparse.Namespace) -> bool:
    from rich.console import Console

    from local.stack.seed import Fleet
    from local.stack.signals import until_signalled
    from local.stack.stack import Stack

    console = Console()
    stack = Stack(options.state, fleet=Fleet(options.clusters, options.seed), port=options.port)
    compliant = False

    async def show() -> bool:
        nonlocal compliant
        console.print(f"Starting the stack with {options.clusters} simulated clusters", highlight=False)
        async with stack:
            compliant = await _play(stack, console)
            if console.is_terminal and sys.stdin.isatty():
                console.print("\nThe stack keeps running until Ctrl-C.")
                raise await stack.wait_until_one_ends()
            return compliant

    return await until_signalled(show(), otherwise=lambda: compliant)


async def _play(stack: "Stack", console: "Console") -> bool:
    from cli.api import Api
    from local.demo import display

    console.print(f"The dashboard shows it live: {stack.host}/api/dashboard", highlight=False, soft_wrap=True)
    async with Api(stack.host) as api:
        commit = await _push(stack, api, console)
        rollout = await _watch(api, commit, console)
        await _tell_the_end(stack, api, rollout, console)
    return display.is_compliant(rollout)


async def _push(stack: "Stack", api: "Api", console: "Console") -> str:
    """Commits a new version and delivers GitHub's webhook for it; gives the commit."""
    from local.demo import push
    from local.stack.repository import deployment

    repository = stack.state.repository
    before = repository.head()
    after = repository.commit({"clusters/base/till.yaml": deployment("1.1.0")}, "Bring till 1.1.0 to every shop")
    body = push.encode(push.payload(repository, before, after))
    headers = push.signed_headers(body, stack.github_secret, event="push")
    status, answer = await api.deliver("platform", body, headers)
    console.print(f"Pushed {after[:12]} to main; the webhook was answered with {status}", highlight=False)
    if status >= 400:
        raise DemoFailed(f"the webhook was refused: {status} {answer}")
    return after


async def _watch(api: "Api", commit: str, console: "Console") -> dict[str, Any]:
    """Shows the commit's rollout until it ends or needs a person; gives it as it was last."""
    deadline = monotonic() + _LONGEST_SECONDS
    rollout = await _rollout_of(api, commit, deadline)
    with _shower(console) as show:
        show(rollout)
        while rollout["state"] in _UNDER_WAY and monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            rollout = await api.rollout(rollout["id"])
            show(rollout)
    return rollout


@contextmanager
def _shower(console: "Console") -> Iterator[Callable[[dict[str, Any]], None]]:
    """What shows a rollout again and again: in place on a terminal, else as lines for what changed."""
    from rich.live import Live

    from local.demo import display

    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda rollout: live.update(display.live(rollout), refresh=True)
        return
    shown: set[str] = set()

    def show(rollout: dict[str, Any]) -> None:
        lines = [display.stage_line(stage) for stage in rollout["stages"]]
        for line in lines:
            if line not in shown:
                console.print(line, highlight=False, markup=False, soft_wrap=True)
        shown.clear()
        shown.update(lines)

    yield show


async def _rollout_of(api: "Api", commit: str, deadline: float) -> dict[str, Any]:
    while monotonic() < deadline:
        for rollout in await api.rollouts():
            if commit in rollout["revision"]:
                return rollout
        await asyncio.sleep(_POLL_SECONDS)
    raise DemoFailed(f"no rollout of {commit[:12]} began")


async def _tell_the_end(stack: "Stack", api: "Api", rollout: dict[str, Any], console: "Console") -> None:
    from local.demo import display, messages

    async with stack.simulator() as simulator:
        received = messages.titles(await _settled(simulator))
    detail = await api.rollout(rollout["id"])
    lines = [
        f"\nThe rollout {rollout['state']}: {rollout['reason'] or 'every stage is done'}",
        *display.notable_targets(detail),
        "\nMessages that Teams and Slack received:",
        *(f"  {title}" for title in received),
        "",
        stack.describe().table(),
    ]
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


async def _settled(simulator: "Simulator") -> list[dict[str, Any]]:
    """The messages, once none came for a while: Slack takes one a second, so the last ones follow the rollout's end."""
    messages: list[dict[str, Any]] = await simulator.get("messages")
    deadline = monotonic() + _LONGEST_SETTLING_SECONDS
    quiet_since = monotonic()
    while monotonic() - quiet_since < _QUIET_SECONDS and monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        newer = await simulator.get("messages")
        if len(newer) > len(messages):
            messages, quiet_since = newer, monotonic()
    return messages
