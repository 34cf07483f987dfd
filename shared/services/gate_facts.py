"""What the gates of a stage that waits look at: results of checks, and what other routes have proved."""

from dataclasses import dataclass

from shared.domain.gates import GateFacts
from shared.domain.rollouts import Rollout, rollout_id
from shared.ports import Checks, Rollouts


@dataclass(frozen=True)
class GateFactsOf:
    """Reads only what some gate of the stage that opens next asks for."""

    rollouts: Rollouts
    checks: Checks

    async def __call__(self, rollout: Rollout) -> GateFacts:
        stage = rollout.stages[rollout.current]
        if rollout.state != "running" or stage.state != "pending":
            return GateFacts()
        waiting = [gate for gate in stage.gates if gate.state == "waiting"]
        wants_checks = any(gate.type == "checks" for gate in stage.gates)  # of an approved gate too: they may be run again
        return GateFacts(
            checks=await self.checks.of(rollout.source, rollout.revision) if wants_checks else {},
            proved=frozenset([gate.route for gate in waiting if gate.type == "promotion" and await self._has_proved(rollout, gate.route)]),
        )

    async def _has_proved(self, rollout: Rollout, route: str) -> bool:
        """Whether the same change has succeeded on another route: the id of its rollout there follows from both."""
        found = await self.rollouts.get(rollout_id(rollout.change_id, route))
        return found is not None and found[0].state == "succeeded"
