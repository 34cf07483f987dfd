"""People send a message again that no channel has taken."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from shared.config.models import Config
from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.deliveries import Delivery, resend
from shared.domain.errors import Conflict, NotAllowed, NotFound
from shared.domain.messages import NOTIFICATIONS, Deliver
from shared.domain.record import digest
from shared.log import event_logger
from shared.ports import Audit, Deliveries, Queue
from shared.services.report_deliveries import shown

log = event_logger("sluice.notify")

#: Longer than a write may take: a message that comes before its delivery is saved finds nothing to do.
_AFTER_THE_SAVE = timedelta(seconds=60)


@dataclass(frozen=True)
class Resend:
    """The use case behind POST /api/notifications/{channel}/{id}/resend. Whether somebody may is the caller's to know."""

    config: Config
    deliveries: Deliveries
    audit: Audit
    queue: Queue
    clock: Clock

    async def __call__(self, channel: str, delivery_id: str, *, by: str, reason: str) -> dict[str, object]:
        """The message as it is then. Raises NotFound, or NotAllowed with the reason."""
        while True:
            found = await self.deliveries.get(channel, delivery_id)
            if found is None:
                raise NotFound("there is no such notification")
            delivery, etag = found
            again = resend(delivery, self.clock())
            if self.config.provider(again.provider) is None:
                raise NotAllowed(f"there is no provider {again.provider} in sluice.yaml any more")
            with suppress(Conflict):
                await self._save(again, etag, by, reason)
                return shown(again)

    async def _save(self, again: Delivery, etag: str, by: str, reason: str) -> None:
        """Recorded first, so that nobody does it unseen. One queue message before the save, for an instance that dies right after it;
        one after, so that nobody waits for the first.
        """
        await self.audit.append(self._record(again, by, reason))
        message = Deliver(channel=again.channel, delivery_id=again.id)
        await self.queue.send(NOTIFICATIONS, message, not_before=self.clock() + _AFTER_THE_SAVE)
        await self.deliveries.save(again, etag)
        await self.queue.send(NOTIFICATIONS, message)
        log.info("notification.resend", extra={"provider": again.provider, "delivery": again.id})

    def _record(self, again: Delivery, by: str, reason: str) -> Entry:
        return Entry(
            id=digest("resend", again.id, str(again.resends), by),
            stream=again.channel,
            at=self.clock(),
            actor=by,
            action="notification.resend",
            resource=again.provider,
            cause=again.announcements[0].id,
            detail={"reason": reason, "notification": again.id},
        )
