"""A CI system tells what became of a check: keep it, and wake the rollouts that may wait for it."""

from dataclasses import dataclass

from msgspec.structs import replace

from shared.domain.checks import CheckResult
from shared.domain.clock import Clock
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.log import event_logger
from shared.ports import Changes, Checks, Queue

log = event_logger("sluice.check")


@dataclass(frozen=True)
class RecordCheck:
    """What a receiver does with a check's result."""

    checks: Checks
    changes: Changes
    queue: Queue
    clock: Clock

    async def __call__(self, result: CheckResult) -> bool:
        """Whether it changed anything. A rollout that is not woken, since an instance died here, is found by the sweep.

        A result from the future is taken as one of now: else nothing that comes later would ever be newer.
        """
        if not await self.checks.record(replace(result, at=min(result.at, self.clock()))):
            return False
        log.info("check.recorded", extra={"source": result.source, "revision": result.revision, "state": result.state})
        for head in await self.changes.heads_at(result.source, result.revision):
            for rollout_id in head.rollouts:
                await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout_id))
        return True
