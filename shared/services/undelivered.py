"""What follows when a channel has not taken a message: its fallback gets it, or it stands in the audit trail that nobody was told."""

from dataclasses import dataclass

from shared.domain.audit import Entry
from shared.domain.deliveries import Delivery, left, successor
from shared.domain.messages import NOTIFICATIONS, Deliver
from shared.log import event_logger
from shared.ports import Audit, Deliveries, Queue

log = event_logger("sluice.notify")


@dataclass(frozen=True)
class Undelivered:
    """Done again it does nothing new: the delivery to the fallback and the record have ids made from what they stand for."""

    deliveries: Deliveries
    audit: Audit
    queue: Queue

    async def __call__(self, ended: Delivery) -> None:
        """Of a delivery that was saved as handed over, or as failed."""
        if ended.state == "handed-over":
            await self._hand_over(ended)
        else:
            log.error("notification.failed", extra={"provider": ended.provider, "delivery": ended.id, "reason": ended.error})
        await self.audit.append(_record(ended))

    async def _hand_over(self, ended: Delivery) -> None:
        following = successor(ended)
        await self.deliveries.create(following)
        await self.queue.send(NOTIFICATIONS, Deliver(channel=following.channel, delivery_id=following.id))
        extra = {"provider": ended.provider, "fallback": ended.fallback, "delivery": ended.id, "reason": ended.error}
        log.warning("notification.handed-over", extra=extra)


def _record(ended: Delivery) -> Entry:
    """Nothing is dropped in silence."""
    again = f".{ended.resends}" if ended.resends else ""
    detail = {"reason": ended.error, "titles": "; ".join(told.title for told in left(ended))}
    return Entry(
        id=f"{ended.id}.{ended.state}{again}",
        stream=ended.channel,
        at=ended.ended_at or ended.due_at,
        actor="sluice",
        action=f"notification.{ended.state}",
        resource=ended.provider,
        cause=ended.announcements[0].id,
        detail={**detail, "fallback": ended.fallback} if ended.fallback else detail,
    )
