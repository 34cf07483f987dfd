"""Two clocks: the wall's, which tokens, throttling and time stamps keep, and the clusters', which may run faster."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


def utc_text(at: datetime | None = None) -> str:
    """RFC 3339 in UTC with the seven digits of .NET's ticks, as ARM and Kusto write it; now when `at` is not given."""
    return (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


class SimulatedClock:
    """Seconds of cluster life: `speed` of them pass in one second of wall-clock time."""

    def __init__(self, speed: float = 1.0, wall: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._speed = speed
        self._base_simulated = 0.0
        self._base_wall = wall()

    @property
    def speed(self) -> float:
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Raises ValueError unless the speed is above nought."""
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._base_simulated, self._base_wall = self.now(), self._wall()
        self._speed = speed

    def now(self) -> float:
        return self._base_simulated + (self._wall() - self._base_wall) * self._speed

    def wall_seconds_until(self, simulated: float) -> float:
        return max(0.0, (simulated - self.now()) / self._speed)
