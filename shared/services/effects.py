"""What follows from a step of a rollout: messages, audit records, announcements. Each may be done twice, and is then one."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from msgspec.structs import replace

from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.commit_status import fingerprint
from shared.domain.endings import endings, kinds
from shared.domain.messages import (
    COMMIT_REPORTS,
    CONFIG_UPDATES,
    GATE_CALLS,
    NOTIFICATIONS,
    ROLLOUT_STEPS,
    ApplyUpdate,
    CallGate,
    Notify,
    ReportCommit,
    ShowRollout,
    StepRollout,
    TellTargets,
)
from shared.domain.overviews import fingerprint as shown_as
from shared.domain.rollouts import Rollout, RolloutEvent, Target
from shared.log import event_logger
from shared.ports import Audit, Queue
from shared.services.announce import TOLD_PER_STEP
from shared.services.concurrency import map_bounded

log = event_logger("sluice.effects")

#: More than the host takes to look at a quiet queue again (host.json, maxPollingInterval).
_APART_SECONDS = 3
#: Whoever adds an event tells it at once; what is older and untold was left by an instance that died.
_TOLD_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True)
class Effects:
    """Sends and records what a saved rollout has decided. What a crash keeps from being done here, a later step does."""

    audit: Audit
    queue: Queue
    clock: Clock
    is_wanted: Callable[[Iterable[str]], Awaitable[bool]] | None = None  #: whether an alert may take events of these types; None: none does

    async def send_updates(self, targets: Iterable[Target]) -> None:
        """A target whose message is lost is queued anew after a while."""

        async def send(target: Target) -> None:
            message = ApplyUpdate(rollout_id=target.rollout_id, target_id=target.id, dispatch=target.dispatch)
            await self.queue.send(CONFIG_UPDATES, message, not_before=target.slot)

        await map_bounded(send, targets)

    async def call_gates(self, rollout: Rollout, names: Iterable[str]) -> None:
        for name in names:
            await self.queue.send(GATE_CALLS, CallGate(rollout_id=rollout.id, stage=rollout.current, gate=name))

    async def step_again(self, rollout_id: str, *, not_before: datetime | None = None) -> None:
        await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout_id), not_before=not_before)

    async def note_ends(self, rollout: Rollout, targets: Iterable[Target]) -> None:
        """One record for each target that came to an end, in the chain of its fluxConfiguration; and one message for all, where anyone
        wants to hear of them.
        """
        targets = tuple(targets)

        async def note(target: Target) -> None:
            await self.audit.append(
                Entry(
                    id=f"{target.rollout_id}.{target.id}.{target.dispatch}.{target.state}",
                    stream=target.id,
                    at=self.clock(),
                    actor="sluice",
                    action=f"target.{target.state}",
                    resource=target.configuration_id,
                    cause=rollout.id,
                    detail={"revision": target.asked.revision if target.asked else "", "reason": target.reason},
                    subscription=target.subscription,
                )
            )

        await map_bounded(note, targets)
        ended = endings(targets)
        if ended and self.is_wanted and await self.is_wanted(chain.from_iterable(map(kinds, ended))):
            await self.queue.send(NOTIFICATIONS, TellTargets(rollout_id=rollout.id, at=rollout.updated_at, ended=ended))

    async def tell(self, rollout: Rollout) -> Rollout:
        """Puts every event that is untold into the notifications. Save what this gives back: after a crash it is told again, under
        the same id.
        """
        for index, event in enumerate(rollout.events[rollout.announced :]):
            await self._record(rollout, event)
            # Apart, so that people read what happened at once in its order.
            told_at = self.clock() + timedelta(seconds=_APART_SECONDS * index)
            if event.kind not in TOLD_PER_STEP:
                await self.queue.send(NOTIFICATIONS, Notify(rollout_id=rollout.id, event_id=event.id), not_before=told_at)
            log.info(event.kind, extra={"rollout": rollout.id})
        return replace(rollout, announced=len(rollout.events))

    async def report(self, rollout: Rollout) -> Rollout:
        """Has the commit told, where there is something new to say. Save what this gives back: after a crash it is told again."""
        now_due = fingerprint(rollout)
        if now_due == rollout.reported:
            return rollout
        await self.queue.send(COMMIT_REPORTS, ReportCommit(rollout_id=rollout.id))
        return replace(rollout, reported=now_due)

    async def show(self, rollout: Rollout) -> Rollout:
        """Has the messages about it brought up to date, where something moved. Save what this gives back, as with `report`."""
        if not rollout.is_shown or (now_due := shown_as(rollout)) == rollout.shown:
            return rollout
        await self.queue.send(NOTIFICATIONS, ShowRollout(rollout_id=rollout.id))
        return replace(rollout, shown=now_due)

    async def _record(self, rollout: Rollout, event: RolloutEvent) -> None:
        """In the audit trail. The event was saved with what it tells of, so neither is ever without the other for long."""
        why = {"reason": event.reason} if event.by else {}
        await self.audit.append(
            Entry(
                id=event.id,
                stream=rollout.id,
                at=event.at,
                actor=event.by or "sluice",
                action=event.kind,
                resource=rollout.route,
                cause=rollout.change_id,
                detail={"summary": event.summary, "revision": rollout.revision, **why},
            )
        )


def must_tell(before: Rollout, after: Rollout, now: datetime) -> bool:
    """Whether there are events to tell: new ones, or old ones that were left."""
    untold = after.events[after.announced :]
    return len(after.events) > len(before.events) or any(now - event.at > _TOLD_WITHIN for event in untold)
