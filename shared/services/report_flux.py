"""A cluster's Flux tells how an object of its fares: the targets that it concerns learn of it at once, and people of trouble elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from shared.domain.clock import Clock
from shared.domain.errors import Conflict, Refused
from shared.domain.flux_reports import FluxReport, owners
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.reported import concerns, is_early, reported
from shared.domain.rollouts import Rollout, Target, target_id
from shared.domain.targets import seems_new
from shared.log import event_logger
from shared.ports import Queue, Rollouts
from shared.services.flux_alert import flux_alert, hour
from shared.services.tell import Tell

log = event_logger("sluice.report_flux")


@dataclass(frozen=True)
class ReportFlux:
    """What a receiver does with a report."""

    rollouts: Rollouts
    queue: Queue
    clock: Clock
    tell: Tell

    async def __call__(self, report: FluxReport) -> bool:
        """Whether a target learned anything. Trouble that concerns no target of a rollout is told to people.

        One read a rollout that is not over, and none for a report that is no outcome. Raises Refused 503 where the report comes before
        ARM's answer to the update that it is of is recorded: Flux delivers again.
        """
        if not report.is_outcome:
            return False
        wanted = {_target_id(report.cluster_id, name): kustomization for name, kustomization in owners(report).items()}
        found = await self._concerned(wanted, report) if wanted else []
        if any(is_early(target, report, self.clock()) for target, _ in found):
            raise Refused(503, "update-under-way: deliver again", explain=True)
        learned = [await self._teach(target, etag, wanted[target.id], report) for target, etag in found]
        if report.has_failed and not found:
            await self._tell(report)
        return any(learned)

    async def _concerned(self, wanted: Mapping[str, str], report: FluxReport) -> list[tuple[Target, str]]:
        """The targets, of all rollouts that can still change, whose fluxConfiguration the report is of."""
        opened = [await self.rollouts.open(rollout_id, list(wanted)) for rollout_id, _ in await self.rollouts.active()]
        return [each for targets in opened for each in targets if concerns(each[0], wanted[each[0].id], report)]

    async def _teach(self, target: Target, etag: str, kustomization: str, report: FluxReport) -> bool:
        """The message that wakes the rollout is sent after the save: should it be lost, the sweep finds what was saved."""
        found = await self.rollouts.get(target.rollout_id)
        saved = await self._save(found[0], target, etag, kustomization, report) if found else None
        if saved is not None and saved.has_news:
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=target.rollout_id))
        return saved is not None

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

    async def _tell(self, report: FluxReport) -> None:
        """The same trouble of the same cluster is told once an hour."""
        now = self.clock()
        alert = flux_alert(report, now)
        await self.tell(alert, since=hour(now))
        log.info("flux.alert", extra={"announcement": alert.id})


def _target_id(cluster_id: str, configuration: str) -> str:
    return target_id(f"{cluster_id}/providers/microsoft.kubernetesconfiguration/fluxconfigurations/{configuration}".lower())
