"""Waiting for what no event tells: other processes' state, looked at until a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
_POLL_SECONDS = 0.1


async def eventually(look: Callable[[], Awaitable[T]], what: str, *, within_seconds: float = 60) -> T:
    """What `look` returns, as soon as it is true. Fails, with what was seen last, when it never was."""
    deadline = monotonic() + within_seconds
    while not (seen := await look()):
        if monotonic() > deadline:
            raise AssertionError(f"not within {within_seconds:g} s: {what}; seen last: {seen!r}")
        await asyncio.sleep(_POLL_SECONDS)
    return seen
