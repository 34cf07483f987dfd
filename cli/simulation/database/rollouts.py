"""The container `rollouts`: rollouts and their targets."""

import asyncio
import contextlib
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from cli.simulation.database.table import Table
from cli.simulation.model import BATCH_SECONDS, PAGE_SECONDS, READ_SECONDS, ROWS_IN_BATCH, ROWS_IN_PAGE, WRITE_SECONDS
from shared.domain.clock import Clock
from shared.domain.crowd import Scope
from shared.domain.errors import Conflict, NotFound
from shared.domain.rollouts import Glance, Rollout, Target
from shared.domain.turns import Turn


class MemoryRollouts:
    """Implements ports.Rollouts. Whoever listens is told of each rollout that is saved or is over, and of each target that comes into
    another state, with the state before ("" for a new one).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rollouts: Table[Rollout] = Table()
        self._targets: dict[str, Table[Target]] = defaultdict(Table)
        self._glances: dict[str, dict[str, Glance]] = defaultdict(dict)
        self._active: Table[Turn] = Table()
        self.rollout_listeners: list[Callable[[Rollout], None]] = []
        self.target_listeners: list[Callable[[str, Target], None]] = []

    async def create(self, rollout: Rollout) -> bool:
        await asyncio.sleep(WRITE_SECONDS)
        if rollout.id in self._rollouts:
            return False
        self._put(rollout)
        return True

    async def create_targets(self, targets: Sequence[Target]) -> bool:
        await asyncio.sleep(_batches(len(targets)) * BATCH_SECONDS)
        new = [target for target in targets if target.id not in self._targets[target.rollout_id]]
        for target in new:
            self._put_target(target)
        return len(new) == len(targets)

    async def get(self, rollout_id: str) -> tuple[Rollout, str] | None:
        await asyncio.sleep(READ_SECONDS)
        return self._rollouts.get(rollout_id)

    async def save(self, rollout: Rollout, etag: str) -> str:
        await asyncio.sleep(WRITE_SECONDS)
        self._rollouts.check(rollout.id, etag)
        return self._put(rollout)

    async def target(self, rollout_id: str, target_id: str) -> tuple[Target, str] | None:
        await asyncio.sleep(READ_SECONDS)
        return self._targets[rollout_id].get(target_id)

    async def save_target(self, target: Target, etag: str) -> str:
        await asyncio.sleep(WRITE_SECONDS)
        self._targets[target.rollout_id].check(target.id, etag)
        return self._put_target(target)

    async def glances(self, rollout_id: str, scope: Scope) -> list[Glance]:
        await asyncio.sleep(_pages(len(self._glances[rollout_id])) * PAGE_SECONDS)
        return [glance for glance in self._glances[rollout_id].values() if scope.covers(glance.stage, glance.state)]

    async def open(self, rollout_id: str, target_ids: Sequence[str]) -> list[tuple[Target, str]]:
        await asyncio.sleep(_batches(len(target_ids)) * BATCH_SECONDS)
        found = [self._targets[rollout_id].get(key) for key in target_ids]
        return [each for each in found if each is not None]

    async def commit(self, rollout: Rollout, etag: str, targets: Sequence[tuple[Target, str]]) -> str:
        await asyncio.sleep(BATCH_SECONDS)
        self._rollouts.check(rollout.id, etag)
        for target, target_etag in targets:
            self._targets[rollout.id].check(target.id, target_etag)
        for target, _ in targets:
            self._put_target(target)
        return self._put(rollout)

    async def save_targets(self, targets: Sequence[tuple[Target, str]]) -> list[Target]:
        await asyncio.sleep(_batches(len(targets)) * BATCH_SECONDS)
        return [target for target, etag in targets if not self._saved(target, etag)]

    async def targets(self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = ()) -> list[Target]:
        await asyncio.sleep(_pages(len(self._glances[rollout_id])) * PAGE_SECONDS)
        found = self._targets[rollout_id]
        return [each for each in found if stage in (None, each.stage) and (not states or each.state in states)]

    async def some_targets(
        self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = (), after: int = -1, limit: int
    ) -> list[Target]:
        matching = await self.targets(rollout_id, stage=stage, states=states)
        return sorted((each for each in matching if each.order > after), key=lambda each: each.order)[:limit]

    async def mark_active(self, rollout_id: str) -> None:
        await asyncio.sleep(WRITE_SECONDS)
        if rollout_id not in self._active:
            self._active.put(rollout_id, Turn(since=self._clock()))

    async def unmark_active(self, rollout_id: str) -> None:
        await asyncio.sleep(WRITE_SECONDS)
        self._active.drop(rollout_id)
        if found := self._rollouts.get(rollout_id):
            self._tell(found[0])

    async def turn(self, rollout_id: str) -> tuple[Turn, str] | None:
        await asyncio.sleep(READ_SECONDS)
        return self._active.get(rollout_id)

    async def save_turn(self, rollout_id: str, turn: Turn, etag: str) -> None:
        await asyncio.sleep(WRITE_SECONDS)
        if rollout_id not in self._active:
            raise NotFound(rollout_id)
        self._active.save(rollout_id, turn, etag)

    async def active(self) -> list[tuple[str, datetime]]:
        await asyncio.sleep(READ_SECONDS)
        return [(key, turn.since) for key, turn in self._active.items()]

    async def recent(self, limit: int, continuation: str | None) -> tuple[list[Rollout], str | None]:
        await asyncio.sleep(READ_SECONDS)
        return list(self._rollouts)[:limit], None

    def is_active(self, rollout_id: str) -> bool:
        return rollout_id in self._active

    def _put(self, rollout: Rollout) -> str:
        etag = self._rollouts.put(rollout.id, rollout)
        self._tell(rollout)
        return etag

    def _tell(self, rollout: Rollout) -> None:
        for listen in self.rollout_listeners:
            listen(rollout)

    def _put_target(self, target: Target) -> str:
        before = self._glances[target.rollout_id].get(target.id)
        etag = self._targets[target.rollout_id].put(target.id, target)
        self._glances[target.rollout_id][target.id] = Glance.at(target)
        if before is None or before.state != target.state:
            for listen in self.target_listeners:
                listen(before.state if before else "", target)
        return etag

    def _saved(self, target: Target, etag: str) -> bool:
        with contextlib.suppress(Conflict):
            self._targets[target.rollout_id].check(target.id, etag)
            self._put_target(target)
            return True
        return False


def _batches(rows: int) -> int:
    return math.ceil(rows / ROWS_IN_BATCH)


def _pages(rows: int) -> int:
    return max(1, math.ceil(rows / ROWS_IN_PAGE))
