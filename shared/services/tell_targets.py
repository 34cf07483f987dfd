"""What became of single targets is told: one message of the queue a step of a rollout, one announcement however many it concerns."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.endings import SEVERITIES, kinds
from shared.domain.errors import NotFound
from shared.domain.event_fields import of_cluster
from shared.domain.messages import Ended, TellTargets
from shared.domain.pages import page
from shared.domain.record import digest
from shared.domain.rollouts import Rollout, Target
from shared.ports import Rollouts
from shared.services.announce import commit_of, facts_of, fields_of, source_of
from shared.services.tell import Tell

_MANY = {
    "target.failed": "{n} clusters failed",
    "target.recovered": "{n} clusters recovered",
    "target.compliant": "{n} clusters are compliant",
}
_ONE = {"target.failed": "1 cluster failed", "target.recovered": "1 cluster recovered", "target.compliant": "1 cluster is compliant"}


@dataclass(frozen=True)
class TellEnded:
    """The use case behind a `TellTargets` message. The same of the same target and dispatch is one, however often it is told."""

    rollouts: Rollouts
    tell: Tell

    async def __call__(self, message: TellTargets) -> None:
        """Raises NotFound when there is no such rollout."""
        found = await self.rollouts.get(message.rollout_id)
        if found is None:
            raise NotFound(f"rollout {message.rollout_id} does not exist")
        rollout = found[0]
        opened = await self.rollouts.open(rollout.id, [ended.target_id for ended in message.ended])
        targets = {target.id: target for target, _ in opened}
        alike: dict[tuple[str, int], list[Announcement]] = defaultdict(list)
        for ended in message.ended:
            if (target := targets.get(ended.target_id)) is not None:
                for kind in kinds(ended):
                    alike[kind, target.stage].append(announce_target(rollout, target, ended, kind, message, self.tell.public_url))
        for (kind, stage), announcements in alike.items():
            await self._tell(rollout, kind, stage, announcements)

    async def _tell(self, rollout: Rollout, kind: str, stage: int, announcements: Sequence[Announcement]) -> None:
        batch = digest("batch", kind, str(stage), announcements[0].id)
        group = {"rollout": rollout.id, "stage": str(stage), "route": rollout.route, "batch": batch}
        await self.tell.all(announcements, route=rollout.route, group=group)


def announce_target(rollout: Rollout, target: Target, ended: Ended, kind: str, message: TellTargets, public_url: str) -> Announcement:
    """One target. A target that has moved on since, as one that is tried again, is told all the same; its reason is then gone."""
    reason = target.reason if target.state == ended.state else ""
    failed = kind == "target.failed"
    state = "failed" if failed else "compliant" if ended.state == "compliant" else "rolled-back"
    links = [("Failed clusters" if failed else "These clusters", page(public_url, rollout=rollout.id, state=state))]
    return Announcement(
        id=digest(kind, rollout.id, target.id, str(ended.dispatch)),
        kind=kind,
        severity=SEVERITIES[kind],
        title=f"{_ONE[kind]}: {rollout.route}",
        summary=f"In the rollout of {commit_of(rollout)}.",
        facts=facts_of([("Source", source_of(rollout)), ("By", rollout.author), ("Rollout", rollout.id)]),
        clusters=(ClusterLine(name=target.cluster, reason=reason, id=target.configuration_id),),
        links=tuple((text, url) for text, url in links if url),
        many=f"{_MANY[kind]}: {rollout.route}",
        at=message.at,
        subject=rollout.id,
        next_step=f"Mend what is wrong there, then: sluice retry {rollout.id} --reason TEXT" if failed else "",
        fields={
            **fields_of(rollout, target.stage),
            **of_cluster(target.configuration_id, target.traits),
            "cluster": target.cluster,
            "fluxConfiguration": target.configuration,
            "reason": reason,
        },
    )
