"""A rollout is looked at: load what can change, decide, save, send what follows."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.advance import Decision, accounts_for_all, advance, is_settled
from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.errors import Conflict
from shared.domain.messages import CONFIG_UPDATES, NOTIFICATIONS, ROLLOUT_STEPS, ApplyUpdate, Notify, StepRollout
from shared.domain.rollouts import FINAL, Rollout, Target
from shared.log import event_logger
from shared.ports import Audit, Queue, Rollouts
from shared.services.concurrency import map_bounded
from shared.services.pacing import Pacer

log = event_logger("sluice.step")

#: A listed rollout that does not exist after so long was never made: its planning died, and was done again under the same id or not at all.
_ORPHANED_AFTER = timedelta(hours=1)
#: More than the host takes to look at a quiet queue again (host.json, maxPollingInterval).
_APART_SECONDS = 3
#: Whoever adds an event tells it at once; what is older and untold was left by an instance that died.
_TOLD_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True)
class Step:
    """The use case behind the queue `rollout-steps`, and of the sweep that finds what no message will."""

    rollouts: Rollouts
    pacer: Pacer
    audit: Audit
    queue: Queue
    clock: Clock

    async def __call__(self, rollout_id: str) -> None:
        """Moves one rollout as far as it goes now. An unknown one is ignored: its planning sends another message when it is done."""
        while await self._once(rollout_id):
            pass

    async def sweep(self) -> None:
        """Steps every rollout that can still change: what a crash lost is found here."""
        for rollout_id, since in await self.rollouts.active():
            if await self.rollouts.get(rollout_id) is None:
                if self.clock() - since > _ORPHANED_AFTER:
                    await self.rollouts.unmark_active(rollout_id)
                continue
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout_id))

    async def _once(self, rollout_id: str) -> bool:
        """Whether to look again at once: someone else was faster, or a stage opened whose targets were not loaded."""
        found = await self.rollouts.get(rollout_id)
        if found is None:
            return False
        rollout, etag = found
        targets, etags = await self._load_targets(rollout)
        now = self.clock()
        decision = advance(rollout, targets, now)
        try:
            await self._save_targets(decision, etags)
            await self._save_rollout(rollout, decision, etag, now)
        except Conflict:
            log.info("rollout.contended", extra={"rollout": rollout_id})
            return True
        return decision.wake_at is not None and decision.wake_at <= now

    async def _load_targets(self, rollout: Rollout) -> tuple[list[Target], dict[str, str]]:
        """Those that can change, with their ETags; and where a crash left the counts behind, the final ones too."""
        loaded = await self.rollouts.targets_to_advance(rollout)
        targets, etags = [target for target, _ in loaded], {target.id: etag for target, etag in loaded}
        if not accounts_for_all(rollout, targets):
            final = await self.rollouts.targets(rollout.id, states=sorted(FINAL))
            targets += [target for target in final if target.id not in etags]
        return targets, etags

    async def _save_targets(self, decision: Decision, etags: dict[str, str]) -> None:
        """Targets first: were the rollout saved first, a crash would leave counts and a stage that its targets do not bear out."""
        slots = await self._reserve(decision.dispatch)
        targets = [replace(target, slot=slots.get(target.id, target.slot)) for target in decision.targets]

        async def save(target: Target) -> bool:
            """Whether nobody else was faster. Never given up between the save and the message, or the target would wait for nothing."""
            if target.state in FINAL:
                # Before the save: after it nobody would know that the record is still missing.
                await self._note_target(target, decision.rollout)
            try:
                await self.rollouts.save_target(target, etags[target.id])
            except Conflict:
                return False
            if target.id in slots:
                message = ApplyUpdate(rollout_id=target.rollout_id, target_id=target.id, dispatch=target.dispatch)
                await self.queue.send(CONFIG_UPDATES, message, not_before=slots[target.id])
            return True

        if not all(await map_bounded(save, targets)):
            raise Conflict("a target changed")

    async def _reserve(self, dispatch: tuple[Target, ...]) -> dict[str, datetime]:
        by_subscription: dict[str, list[Target]] = defaultdict(list)
        for target in dispatch:
            by_subscription[target.subscription].append(target)
        slots: dict[str, datetime] = {}
        for subscription, targets in by_subscription.items():
            reserved = await self.pacer.reserve(subscription, len(targets))
            slots |= {target.id: slot for target, slot in zip(targets, reserved, strict=True)}
        return slots

    async def _save_rollout(self, before: Rollout, decision: Decision, etag: str, now: datetime) -> None:
        after, wake_at = decision.rollout, decision.wake_at
        needs_wake = wake_at is not None and wake_at > now and not (before.wake_at and now < before.wake_at <= wake_at)
        if needs_wake:
            after = replace(after, wake_at=wake_at)
        if after != before:
            etag = await self.rollouts.save(after, etag)
        if needs_wake:
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=after.id), not_before=wake_at)
        if _must_announce(before, after, now):
            after = await self._announce(after, etag)
        if is_settled(after) and after.announced == len(after.events):
            await self.rollouts.unmark_active(after.id)

    async def _announce(self, rollout: Rollout, etag: str) -> Rollout:
        """Sends what is new to the notifications. Marked as told only afterwards: after a crash it is told again, under the same id."""
        for index, event in enumerate(rollout.events[rollout.announced :]):
            await self.audit.append(
                Entry(
                    id=event.id,
                    stream=rollout.id,
                    at=event.at,
                    actor="sluice",
                    action=event.kind,
                    resource=rollout.route,
                    cause=rollout.change_id,
                    detail={"summary": event.summary, "revision": rollout.revision},
                )
            )
            # Apart, so that people read what happened at once in its order.
            told_at = self.clock() + timedelta(seconds=_APART_SECONDS * index)
            await self.queue.send(NOTIFICATIONS, Notify(rollout_id=rollout.id, event_id=event.id), not_before=told_at)
            log.info(event.kind, extra={"rollout": rollout.id})
        told = replace(rollout, announced=len(rollout.events))
        await self.rollouts.save(told, etag)
        return told

    async def _note_target(self, target: Target, rollout: Rollout) -> None:
        await self.audit.append(
            Entry(
                id=f"{target.rollout_id}.{target.id}.{target.dispatch}.{target.state}",
                stream=target.id,
                at=self.clock(),
                actor="sluice",
                action=f"target.{target.state}",
                resource=target.configuration_id,
                cause=rollout.id,
                detail={"revision": rollout.revision, "reason": target.reason},
                subscription=target.subscription,
            )
        )


def _must_announce(before: Rollout, after: Rollout, now: datetime) -> bool:
    untold = after.events[after.announced :]
    return len(after.events) > len(before.events) or any(now - event.at > _TOLD_WITHIN for event in untold)
