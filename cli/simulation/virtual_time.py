"""An event loop whose time passes only when everyone waits, and then at once: hours take as long as what happens in them."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class NothingHappens(Exception):
    """Everyone waits, and for nothing that will ever come: a fault of the simulation."""


class _Skipping(selectors.DefaultSelector):
    """Where a selector would wait, it tells how long, and does not."""

    def __init__(self, skip: Callable[[float], None]) -> None:
        super().__init__()
        self._skip = skip

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise NothingHappens
        if timeout > 0:
            self._skip(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its `time()` begins at 0 and counts virtual seconds."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        super().__init__(_Skipping(self._pass))

    def time(self) -> float:
        return self._elapsed

    def _pass(self, seconds: float) -> None:
        self._elapsed += seconds


class VirtualClock:
    """The time of the running loop, as a date: `start`, and what has passed since."""

    def __init__(self, start: datetime) -> None:
        self._start = start

    def __call__(self) -> datetime:
        return self.at(self.seconds())

    def seconds(self) -> float:
        return asyncio.get_running_loop().time()

    def at(self, seconds: float) -> datetime:
        return self._start + timedelta(seconds=seconds)

    def seconds_at(self, moment: datetime) -> float:
        return (moment - self._start).total_seconds()


def run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
