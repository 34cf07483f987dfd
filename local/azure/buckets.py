"""Rate limits in wall-clock time: ARM's token buckets and the fixed windows of Resource Graph, Teams and Slack."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Take(NamedTuple):
    """What asking for one request gave: whether it may pass, what is left, and seconds to wait when it may not."""

    allowed: bool
    remaining: int
    retry_after_seconds: int


@dataclass(frozen=True)
class Rate:
    burst: int
    per_second: float


# https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
ARM_RATES = {"reads": Rate(250, 25), "writes": Rate(200, 10), "deletes": Rate(200, 10)}
GLOBAL_FACTOR = 15  # all principals of a subscription together


class TokenBucket:
    def __init__(self, rate: Rate, wall: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._wall = wall
        self._tokens = float(rate.burst)
        self._at = wall()

    def take(self) -> Take:
        now = self._wall()
        self._tokens = min(self._rate.burst, self._tokens + (now - self._at) * self._rate.per_second)
        self._at = now
        if self._tokens < 1:
            return Take(allowed=False, remaining=0, retry_after_seconds=self._seconds_to_one())
        self._tokens -= 1
        return Take(allowed=True, remaining=int(self._tokens), retry_after_seconds=0)

    def _seconds_to_one(self) -> int:
        return max(1, math.ceil((1 - self._tokens) / self._rate.per_second))


class FixedWindow:
    """At most `limit` requests in each window of `seconds`, the window opening with its first request."""

    def __init__(self, limit: int, seconds: float, wall: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._wall = wall
        self._opened = -math.inf
        self._used = 0

    def take(self) -> Take:
        now = self._wall()
        if now - self._opened >= self._seconds:
            self._opened, self._used = now, 0
        left = self.resets_after_seconds()
        if self._used >= self._limit:
            return Take(allowed=False, remaining=0, retry_after_seconds=max(1, left))
        self._used += 1
        return Take(allowed=True, remaining=self._limit - self._used, retry_after_seconds=0)

    def resets_after_seconds(self) -> int:
        return max(0, math.ceil(self._seconds - (self._wall() - self._opened)))


class ArmBuckets:
    """One bucket a subscription, principal and kind of operation, and one for all principals of a subscription."""

    def __init__(self) -> None:
        self._own: dict[tuple[str, str, str], TokenBucket] = {}
        self._global: dict[tuple[str, str], TokenBucket] = {}

    def take(self, subscription: str, principal: str, kind: str) -> tuple[Take, Take]:
        """`kind` is reads, writes or deletes; the second answer is the subscription's own, over all principals."""
        rate = ARM_RATES[kind]
        own = self._own.setdefault((subscription, principal, kind), TokenBucket(rate))
        shared = self._global.setdefault(
            (subscription, kind), TokenBucket(Rate(rate.burst * GLOBAL_FACTOR, rate.per_second * GLOBAL_FACTOR))
        )
        return own.take(), shared.take()
