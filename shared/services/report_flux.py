"""A cluster's Flux tells how an object of its fares: the targets that it concerns learn of it at once."""

from dataclasses import dataclass

from msgspec.structs import replace

from shared.domain.clock import Clock
from shared.domain.errors import Conflict
from shared.domain.flux_reports import FluxReport, owners
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.reported import reported
from shared.domain.rollouts import Rollout, Target, target_id
from shared.domain.targets import seems_new
from shared.log import event_logger
from shared.ports import Queue, Rollouts

log = event_logger("sluice.report_flux")

#: Names with more hyphens are left to the sweep: what one event may cost has an end.
_MOST_OWNERS = 16


@dataclass(frozen=True)
class ReportFlux:
    """What a receiver does with a report."""

    rollouts: Rollouts
    queue: Queue
    clock: Clock

    async def __call__(self, report: FluxReport) -> bool:
        """Whether a target learned anything. One read a rollout that is not over, and none for a report that is no outcome.

        The message that wakes the rollout is sent after the save: should it be lost, the sweep finds what was saved.
        """
        wanted = {_target_id(report.cluster_id, name): kustomization for name, kustomization in owners(report)[:_MOST_OWNERS]}
        if not wanted or not report.is_outcome:
            return False
        learned = [await self._tell(rollout_id, wanted, report) for rollout_id, _ in await self.rollouts.active()]
        return any(learned)

    async def _tell(self, rollout_id: str, wanted: dict[str, str], report: FluxReport) -> bool:
        concerned = await self.rollouts.open(rollout_id, list(wanted))
        found = await self.rollouts.get(rollout_id) if concerned else None
        if found is None:
            return False
        saved = [await self._save(found[0], target, etag, wanted[target.id], report) for target, etag in concerned]
        if any(target is not None and target.has_news for target in saved):
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout_id))
        return any(target is not None for target in saved)

    async def _save(self, rollout: Rollout, target: Target, etag: str, kustomization: str, report: FluxReport) -> Target | None:
        """The target as saved; None where the report says nothing new to it."""
        while True:
            told = self._told(rollout, target, kustomization, report)
            if told == target:
                return None
            try:
                await self.rollouts.save_target(told, etag)
            except Conflict:
                loaded = await self.rollouts.target(target.rollout_id, target.id)
                if loaded is None:
                    return None
                target, etag = loaded
                continue
            log.info("flux.reported", extra={"rollout": rollout.id, "target": told.id})
            return told

    def _told(self, rollout: Rollout, target: Target, kustomization: str, report: FluxReport) -> Target:
        """What waits for its cluster listens, and while its stage bakes also what must stay well."""
        stage, now = rollout.stages[target.stage], self.clock()
        baking = stage.is_baking and target.stage == rollout.current
        if target.state not in {"applied", "offline"} and not (baking and target.state == "compliant"):
            return target
        told = reported(target, kustomization, report, now)
        if told.observation is None or told.observation == target.observation:
            return told
        return replace(told, has_news=target.has_news or seems_new(told, told.observation, stage.rules, now, baking=baking))


def _target_id(cluster_id: str, configuration: str) -> str:
    return target_id(f"{cluster_id}/providers/microsoft.kubernetesconfiguration/fluxconfigurations/{configuration}")
