"""A fluxConfiguration that others have changed is put back to what Sluice last asked of it."""

from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.configurations import Configuration, hold, is_held, release
from shared.domain.errors import Conflict, Rejected, Throttled, Upstream
from shared.domain.messages import RESTORATIONS, RestoreConfiguration
from shared.domain.pins import Pin
from shared.domain.rollouts import IN_FLIGHT, target_id
from shared.log import event_logger
from shared.ports import Audit, Configurations, Queue, Restorations, Rollouts
from shared.services.pacing import Pacer

log = event_logger("sluice.restore")


@dataclass(frozen=True)
class Restore:
    """The use case behind the queue `restorations`: the same PATCH as a rollout's, with the same turns.

    A message may come twice, or late: the record keeps the key of the newest order that was carried out, and one whose rollout,
    dispatch or retry is no longer the newest is dropped. What is left undone is found again by the next sweep.
    """

    rollouts: Rollouts
    configurations: Configurations
    restorations: Restorations
    pacer: Pacer
    audit: Audit
    queue: Queue
    clock: Clock
    lease: timedelta

    async def __call__(self, message: RestoreConfiguration, *, holder: str) -> None:
        """`holder` names this attempt, and no other. Raises Throttled, Unavailable or Busy where it may work later."""
        found, etag = await self.configurations.get(message.cluster_id, message.configuration_id)
        if found.restored == message.key:
            await self._note(found, message, "drift.restored")
            return
        if not _is_asked(found, message) or found.pin is None or await self._is_in_flight(found):
            log.info("restore.overtaken", extra={"configuration": message.configuration_id})
            return
        if is_held(found, self.clock()):
            await self._when_free(message, found)
            return
        held = hold(found, holder, lease=self.lease, now=self.clock())
        try:
            etag = await self.configurations.save(held, etag)
        except Conflict:
            await self(message, holder=holder)
        else:
            await self._write(message, held, found.pin, etag)

    async def _is_in_flight(self, found: Configuration) -> bool:
        """Whether any rollout is about to write it, or waits for what it wrote."""
        active = [rollout_id for rollout_id, _ in await self.rollouts.active()]
        for rollout_id in {found.rollout_id, *active}:
            loaded = await self.rollouts.target(rollout_id, target_id(found.resource_id))
            if loaded and loaded[0].state in IN_FLIGHT:
                return True
        return False

    async def _when_free(self, message: RestoreConfiguration, found: Configuration) -> None:
        until = (found.held_until or self.clock()) + timedelta(seconds=1)
        await self.queue.send(RESTORATIONS, message, not_before=until)

    async def _write(self, message: RestoreConfiguration, held: Configuration, pin: Pin, etag: str) -> None:
        started = self.clock()
        try:
            await self.restorations.restore(held.resource_id, pin, resume=message.resume)
        except Upstream as error:
            await self._not_written(message, held, etag, error)
            return
        done = replace(release(held, applied_at=started), restored=message.key)
        await self.configurations.save(done, etag)
        await self._note(done, message, "drift.restored")

    async def _not_written(self, message: RestoreConfiguration, held: Configuration, etag: str, error: Upstream) -> None:
        """Where no answer came ARM may still carry it out: the turn is kept, so that nothing newer is written before it."""
        log.warning("restore.not-written", extra={"error": type(error).__name__, "code": error.code})
        if error.unanswered:
            await self._when_free(message, held)
            return
        await self.configurations.save(release(held, applied_at=held.applied_at), etag)
        if isinstance(error, Rejected):
            await self._note(held, message, "drift.not-restored", error.code)
            return
        if isinstance(error, Throttled):
            delay = timedelta(seconds=error.retry_after or 1)
            await self.pacer.push_back(held.subscription, self.clock() + delay)
        raise error

    async def _note(self, record: Configuration, message: RestoreConfiguration, action: str, code: str = "") -> None:
        await self.audit.append(
            Entry(
                id=f"{message.key}.{action}",
                stream=target_id(record.resource_id),
                at=self.clock(),
                actor="sluice",
                action=action,
                resource=record.resource_id,
                cause=record.rollout_id,
                detail={"revision": record.revision, "ref": record.ref} | ({"code": code} if code else {}),
                subscription=record.subscription,
            )
        )


def _is_asked(found: Configuration, message: RestoreConfiguration) -> bool:
    """Whether the record still asks for what is to be put back, and ARM has accepted it."""
    same = (found.rollout_id, found.dispatch, found.retry) == (message.rollout_id, message.dispatch, message.retry)
    return same and found.applied_at is not None
