"""The fleet is looked at: what Resource Graph says of the targets that a rollout is waiting for."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from shared.domain.clock import Clock
from shared.domain.errors import Conflict
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.observations import Observation
from shared.domain.rollouts import FINISHED, IN_FLIGHT, Rollout, Target
from shared.domain.sources import search_term
from shared.log import event_logger
from shared.ports import Fleet, Queue, Rollouts
from shared.services.concurrency import map_bounded

log = event_logger("sluice.observe")


@dataclass(frozen=True)
class Observe:
    """The use case behind `sweep_compliance`: one query a repository serves all rollouts of it."""

    rollouts: Rollouts
    fleet: Fleet
    queue: Queue
    clock: Clock
    look_for_away_every: timedelta
    looked: dict[str, datetime]  #: kept between calls: when this instance last looked for a finished rollout's offline clusters

    async def __call__(self) -> None:
        """Records what changed, and wakes the rollouts that it concerns. Without a waiting rollout nothing is asked."""
        waiting: dict[str, list[tuple[Rollout, list[Target]]]] = defaultdict(list)
        for rollout_id, _ in await self.rollouts.active():
            found = await self.rollouts.get(rollout_id)
            if found is None or not self._is_due(found[0]):
                continue
            targets = await self.rollouts.targets(rollout_id, states=("applied", "offline"))
            if targets:
                waiting[search_term(found[0].url)].append((found[0], targets))
        for term, rollouts in waiting.items():
            seen = {item.id: item.observation async for item in self.fleet.configurations(term)}
            for rollout, targets in rollouts:
                await self._record(rollout, targets, seen)

    def _is_due(self, rollout: Rollout) -> bool:
        """A rollout that only waits for clusters that are away is not worth a look at the whole fleet every time. One that is back is."""
        if rollout.state not in FINISHED or any(stage.counts.get(state) for stage in rollout.stages for state in IN_FLIGHT):
            return True
        if self.clock() - self.looked.get(rollout.id, datetime.min.replace(tzinfo=UTC)) < self.look_for_away_every:
            return False
        self.looked[rollout.id] = self.clock()
        return True

    async def _record(self, rollout: Rollout, targets: list[Target], seen: dict[str, Observation]) -> None:
        async def record(target: Target) -> bool:
            observation = seen.get(target.configuration_id) or Observation.missing(self.clock())
            return _is_news(target, observation) and await self._save(target, observation)

        if any(await map_bounded(record, targets)):
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout.id))

    async def _save(self, target: Target, observation: Observation) -> bool:
        """Whether there was news for the target as it is now."""
        while True:
            loaded = await self.rollouts.target(target.rollout_id, target.id)
            if loaded is None or loaded[0].state not in ("applied", "offline"):
                return False
            if not _is_news(loaded[0], observation):
                return False
            try:
                await self.rollouts.save_target(replace(loaded[0], observation=observation), loaded[1])
            except Conflict:
                continue
            return True


def _is_news(target: Target, observation: Observation) -> bool:
    """A look that shows nothing new is not written, unless the last one was from before the update; nor is one that is older."""
    newest = target.observation
    if newest is not None and newest.observed_at > observation.observed_at:
        return False
    is_fresh = newest is not None and target.applied_at is not None and newest.observed_at >= target.applied_at
    return not (is_fresh and observation.says_same(newest))
