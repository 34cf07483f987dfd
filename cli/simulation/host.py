"""The Functions host and its queues: instances that look for messages now and then, and timers that never overlap themselves."""

import asyncio
import math
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from cli.simulation.model import (
    BUSY_POLL_SECONDS,
    IDLE_POLL_SECONDS,
    MOST_DEQUEUES,
    QUEUE_BATCH,
    QUEUE_SECONDS,
    QUEUE_THRESHOLD,
    VISIBILITY_SECONDS,
)
from shared.domain.clock import Clock
from shared.domain.errors import SluiceError, Upstream
from shared.domain.messages import KINDS, read
from shared.domain.record import Record

#: functions/queued.py puts a message back for so long where the service does not say for how long.
_AGAIN_AFTER_SECONDS = 60.0

Handler = Callable[[Record], Awaitable[None]]
Waiting = tuple[Record, int]  #: a message, and how often it was taken up


class SimulatedQueue:
    """Implements ports.Queue; what nobody takes up (notifications) is only counted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._visible: dict[str, deque[Waiting]] = {}
        self._arrivals: dict[str, asyncio.Event] = {}
        self.sent: Counter[str] = Counter()

    def open(self, queue: str) -> None:
        """From now on messages of this queue are kept for whoever takes them."""
        self._visible[queue], self._arrivals[queue] = deque(), asyncio.Event()

    async def send(self, queue: str, message: Record, *, not_before: datetime | None = None) -> None:
        await asyncio.sleep(QUEUE_SECONDS)
        self.sent[queue] += 1
        delay = max(0, math.ceil((not_before - self._clock()).total_seconds())) if not_before else 0
        self.show(queue, message, 0, after=delay)

    async def send_text(self, queue: str, text: str, *, not_before: datetime | None = None) -> None:
        await self.send(queue, read(KINDS[queue], text.encode()), not_before=not_before)

    def show(self, queue: str, message: Record, dequeues: int, *, after: float) -> None:
        if queue in self._visible:
            asyncio.get_running_loop().call_later(after, self._appear, queue, (message, dequeues))

    async def some(self, queue: str) -> None:
        """Returns when a message is visible."""
        await self._arrivals[queue].wait()

    def take(self, queue: str, most: int) -> list[Waiting]:
        waiting = self._visible[queue]
        taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
        if not waiting:
            self._arrivals[queue].clear()
        return taken

    def _appear(self, queue: str, waiting: Waiting) -> None:
        self._visible[queue].append(waiting)
        self._arrivals[queue].set()


class Host:
    """Runs queue handlers and timers until it is cancelled. An error that is not Sluice's own ends the simulation."""

    def __init__(self, queue: SimulatedQueue, tasks: asyncio.TaskGroup, seed: int) -> None:
        self._queue = queue
        self._tasks = tasks
        self._chance = random.Random(seed)  # noqa: S311 -- a repeatable simulation, not a secret
        self._loops: list[asyncio.Task[None]] = []
        self.failed = 0  #: invocations that ended with an error
        self.buried = 0

    def on_queue(self, queue: str, handler: Handler, *, instances: int) -> None:
        self._queue.open(queue)
        self._loops += [self._tasks.create_task(self._poll(queue, handler)) for _ in range(instances)]

    def on_timer(self, every_seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        self._loops.append(self._tasks.create_task(self._tick(every_seconds, work)))

    def stop(self) -> None:
        """No more work is taken up; what is under way goes on to its end."""
        for loop in self._loops:
            loop.cancel()

    async def _poll(self, queue: str, handler: Handler) -> None:
        """One instance. It looks more rarely the longer it has found nothing, doubling from look to look."""
        now = asyncio.get_running_loop().time
        running: set[asyncio.Task[None]] = set()
        found_at = now()
        while True:
            if len(running) > QUEUE_THRESHOLD:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                continue
            await self._queue.some(queue)
            longest = min(max(now() - found_at, BUSY_POLL_SECONDS), IDLE_POLL_SECONDS)
            await asyncio.sleep(self._chance.uniform(0, longest))
            for waiting in self._queue.take(queue, QUEUE_BATCH):
                found_at = now()
                task = self._tasks.create_task(self._handle(queue, handler, waiting))
                running.add(task)
                task.add_done_callback(running.discard)

    async def _handle(self, queue: str, handler: Handler, waiting: Waiting) -> None:
        message, dequeues = waiting
        try:
            await handler(message)
        except Upstream as error:
            self.failed += 1
            self._queue.show(queue, message, 0, after=error.retry_after or _AGAIN_AFTER_SECONDS)
        except SluiceError:
            self.failed += 1
            if dequeues + 1 < MOST_DEQUEUES:
                self._queue.show(queue, message, dequeues + 1, after=VISIBILITY_SECONDS)
            else:
                self.buried += 1

    async def _tick(self, every_seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """At whole multiples of the period, as NCRONTAB has it."""
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep((math.floor(now() / every_seconds + 1e-9) + 1) * every_seconds - now())
            try:
                await work()
            except SluiceError:
                self.failed += 1
