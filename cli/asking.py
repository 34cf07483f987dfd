"""What the verbs that ask the app have in common: one question, shown for people or printed as JSON."""

import argparse
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cli.options import fail

T = TypeVar("T")


def show_answer(
    options: argparse.Namespace,
    ask: Callable[[argparse.Namespace], Awaitable[T]],
    show: Callable[[T], None],
    *,
    under: str = "",
    as_json: bool | None = None,
) -> int:
    """The exit status. `under`: the name that an answer which is a list has in JSON; `as_json`: whatever --json says."""
    import asyncio

    from cli.api import ApiError
    from local.stack.errors import NoStack

    async def asked() -> T:
        return await ask(options)

    try:
        found = asyncio.run(asked())
    except (ApiError, NoStack, OSError) as error:
        return fail(error)
    if options.json if as_json is None else as_json:
        _print({under: found} if under else found)
    else:
        show(found)
    return 0


def _print(answer: Any) -> None:
    import json

    print(json.dumps(answer, indent=2))
