"""Ctrl-C and SIGTERM as an orderly end: what runs is cancelled, and so gets to stop its children."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def until_signalled(work: Coroutine[Any, Any, Result], *, otherwise: Callable[[], Result]) -> Result:
    """The result of `work`, or of `otherwise` when a signal ended it. A second signal changes nothing: stopping goes on."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()

    def end() -> None:
        if not signalled.is_set():
            signalled.set()
            task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        return await task
    except asyncio.CancelledError:
        if signalled.is_set():
            return otherwise()
        raise
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
