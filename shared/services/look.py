"""One fluxConfiguration is looked at, because something is known to have happened to it."""

import asyncio
from dataclasses import dataclass

from shared.domain.clock import Clock
from shared.domain.configurations import cluster_id, configuration_id
from shared.domain.errors import Upstream
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.rollouts import Rollout, Target, target_id
from shared.log import event_logger
from shared.ports import Configurations, FluxConfigurations, Queue, Rollouts
from shared.services.observe import is_watched, record_observation

log = event_logger("sluice.look")

#: Event Grid waits 30 seconds for an answer (learn.microsoft.com, Event Grid message delivery and retry).
_PATIENCE_SECONDS = 15.0


@dataclass(frozen=True)
class Look:
    """Tells the rollout that asked the fluxConfiguration for something last. One that nobody waits for is not looked at."""

    rollouts: Rollouts
    configurations: Configurations
    flux_configurations: FluxConfigurations
    queue: Queue
    clock: Clock

    async def __call__(self, resource_id: str) -> None:
        """`resource_id` is an ARM id, lower case. What cannot be seen now is left to the sweep."""
        waiting = await self._waiting(resource_id)
        if waiting is None:
            return
        rollout, target = waiting
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                observation = await self.flux_configurations.observe(resource_id)
        except (TimeoutError, Upstream) as error:
            log.warning("look.failed", extra={"target": target.id, "error": type(error).__name__})
            return
        if await record_observation(self.rollouts, rollout, target.id, observation, self.clock):
            log.info("look.news", extra={"rollout": rollout.id, "target": target.id})
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout.id))

    async def _waiting(self, resource_id: str) -> tuple[Rollout, Target] | None:
        asked, _ = await self.configurations.get(cluster_id(resource_id), configuration_id(resource_id))
        found = await self.rollouts.get(asked.rollout_id) if asked.rollout_id else None
        loaded = await self.rollouts.target(asked.rollout_id, target_id(resource_id)) if found else None
        if found is None or loaded is None or not is_watched(found[0], loaded[0]):
            return None
        return found[0], loaded[0]
