"""The fleet is looked at: what Resource Graph says of the targets that a rollout is waiting for."""

import logging
from collections import defaultdict
from dataclasses import dataclass

from msgspec.structs import replace

from shared.domain.errors import Conflict
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.observations import Observation
from shared.domain.rollouts import Rollout, Target
from shared.domain.sources import search_term
from shared.ports import Fleet, Queue, Rollouts
from shared.services.concurrency import map_bounded

log = logging.getLogger("sluice.observe")


@dataclass(frozen=True)
class Observe:
    """The use case behind `sweep_compliance`: one query a repository serves all rollouts of it."""

    rollouts: Rollouts
    fleet: Fleet
    queue: Queue

    async def __call__(self) -> None:
        """Records what changed, and wakes the rollouts that it concerns. Without a waiting rollout nothing is asked."""
        waiting: dict[str, list[tuple[Rollout, list[Target]]]] = defaultdict(list)
        for rollout_id, _ in await self.rollouts.active():
            found = await self.rollouts.get(rollout_id)
            targets = await self.rollouts.targets(rollout_id, states=("applied", "offline")) if found else []
            if found and targets:
                waiting[search_term(found[0].url)].append((found[0], targets))
        for term, rollouts in waiting.items():
            seen = {item.id: item.observation async for item in self.fleet.configurations(term)}
            for rollout, targets in rollouts:
                await self._record(rollout, targets, seen)

    async def _record(self, rollout: Rollout, targets: list[Target], seen: dict[str, Observation]) -> None:
        async def record(target: Target) -> bool:
            observation = seen.get(target.configuration_id)
            return observation is not None and await self._save(target, observation)

        if any(await map_bounded(record, targets)):
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout.id))

    async def _save(self, target: Target, observation: Observation) -> bool:
        """Whether there was news. A look that shows nothing new is not written, unless the last one was from before the update."""
        while True:
            loaded = await self.rollouts.target(target.rollout_id, target.id)
            if loaded is None or loaded[0].state not in ("applied", "offline"):
                return False
            current, etag = loaded
            newest = current.observation
            fresh = newest is not None and current.applied_at is not None and newest.observed_at >= current.applied_at
            if newest and fresh and observation.says_same(newest):
                return False
            try:
                await self.rollouts.save_target(replace(current, observation=observation), etag)
            except Conflict:
                continue
            return True
