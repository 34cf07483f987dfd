"""Answers of a slow service, remembered for a while: one question at a time, and an older answer while the service is away."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from shared.domain.errors import SluiceError, Upstream

HOLD_OFF_SECONDS = 10  # after a failed question, while an older answer serves: an outage must not cost every caller a time-out

Key = TypeVar("Key")
Value = TypeVar("Value")


class _Answer(NamedTuple, Generic[Value]):
    value: Value
    since: float


class Remembered(Generic[Key, Value]):
    """Remembers what `load` answers for `seconds`, and serves it up to `stale_seconds` old while `load` raises a retryable Upstream.

    Any other error of `load` means that the answer is gone (deleted, or no longer allowed): it is forgotten and the error raised.
    """

    def __init__(
        self,
        load: Callable[[Key], Awaitable[Value]],
        *,
        seconds: float,
        stale_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._seconds = seconds
        self._stale_seconds = stale_seconds
        self._monotonic = monotonic
        self._answers: dict[Key, _Answer[Value]] = {}
        self._flights: dict[Key, asyncio.Task[Value]] = {}
        self._ask_after: dict[Key, float] = {}

    async def get(self, key: Key, *, allow_stale: bool = True) -> Value:
        held = self._answers.get(key)
        if held is not None and self._monotonic() - held.since < self._seconds:
            return held.value
        stale = held if held is not None and allow_stale and self._monotonic() - held.since < self._stale_seconds else None
        if stale is not None and self._monotonic() < self._ask_after.get(key, 0.0):
            return stale.value
        try:
            return await self._ask(key)
        except Upstream as error:
            if stale is None or not error.retryable:
                raise
            return stale.value

    def forget(self, key: Key) -> None:
        """The next `get` asks again, and a question under way will not be remembered."""
        self._answers.pop(key, None)
        self._flights.pop(key, None)
        self._ask_after.pop(key, None)

    async def _ask(self, key: Key) -> Value:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fetch(key))
        # Shielded: one caller that gives up must not cancel the question for the others.
        return await asyncio.shield(flight)

    async def _fetch(self, key: Key) -> Value:
        since = self._monotonic()
        try:
            value = await self._load(key)
        except SluiceError as error:
            if isinstance(error, Upstream) and error.retryable:
                self._ask_after[key] = self._monotonic() + HOLD_OFF_SECONDS
            elif self._is_current(key):
                self._answers.pop(key, None)
            raise
        else:
            if self._is_current(key):
                self._answers[key] = _Answer(value, since)
            return value
        finally:
            if self._is_current(key):
                del self._flights[key]

    def _is_current(self, key: Key) -> bool:
        return self._flights.get(key) is asyncio.current_task()
