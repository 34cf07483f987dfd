"""What a fluxConfiguration can be rolled back to that is not compliant now: what an earlier rollout knew to be good."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.configurations import cluster_id, configuration_id
from shared.domain.pins import Pin
from shared.domain.rollouts import target_id
from shared.ports import Configurations, Rollouts
from shared.services.concurrency import map_bounded


@dataclass(frozen=True)
class KnownGood:
    """Point reads only: the fluxConfiguration's record names the rollout that wrote it last, and its target there what was good then."""

    configurations: Configurations
    rollouts: Rollouts

    async def __call__(self, source: str, resource_ids: Sequence[str]) -> dict[str, Pin]:
        """By ARM id, for those of which something is known. A revision of another source is of no use."""
        writers = dict(zip(resource_ids, await map_bounded(self._writer, resource_ids), strict=True))
        usable = {rollout for rollout in set(writers.values()) if rollout and await self._is_of(rollout, source)}
        asked = [(resource, rollout) for resource, rollout in writers.items() if rollout in usable]
        pins = await map_bounded(self._good, asked)
        return {resource: pin for (resource, _), pin in zip(asked, pins, strict=True) if pin is not None}

    async def _writer(self, resource_id: str) -> str:
        found, _ = await self.configurations.get(cluster_id(resource_id), configuration_id(resource_id))
        return found.rollout_id

    async def _is_of(self, rollout_id: str, source: str) -> bool:
        found = await self.rollouts.get(rollout_id)
        return found is not None and found[0].source == source

    async def _good(self, asked: tuple[str, str]) -> Pin | None:
        resource_id, rollout_id = asked
        found = await self.rollouts.target(rollout_id, target_id(resource_id))
        if found is None:
            return None
        last = found[0]
        return last.pin if last.state == "compliant" else last.previous
