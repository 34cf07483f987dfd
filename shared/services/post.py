"""A message goes out to its channel once it is due, and is tried again while the channel does not take it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec.structs import replace

from shared.config.models import Config
from shared.config.models import Provider as ProviderConfig
from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.deliveries import Delivery, Parcel, after_failure, after_success, left, take, with_taken
from shared.domain.errors import Conflict, Malformed, NotFound, Rejected, SluiceError, Upstream
from shared.domain.messages import NOTIFICATIONS, Deliver
from shared.log import event_logger
from shared.ports import Audit, Deliveries, Provider, Queue

log = event_logger("sluice.notify")


@dataclass(frozen=True)
class Post:
    """The use case behind a `Deliver` message: a grouped message goes out once its window closes."""

    config: Config
    deliveries: Deliveries
    audit: Audit
    queue: Queue
    clock: Clock
    connect: Callable[[ProviderConfig], Awaitable[Provider]]

    async def __call__(self, message: Deliver) -> None:
        """A channel that does not answer is tried again for 24 hours. Raises NotFound when there is no such message."""
        found = await self.deliveries.get(message.channel, message.delivery_id)
        if found is None:
            raise NotFound(f"delivery {message.delivery_id} is not recorded")
        delivery, etag = found
        now = self.clock()
        if delivery.state != "collecting":
            return
        if now < delivery.due_at:
            await self.queue.send(NOTIFICATIONS, message, not_before=delivery.due_at)
            return
        settings = self.config.provider(delivery.provider)
        if settings is None:
            await self._give_up(replace(delivery, state="failed", error="the provider is no longer configured"), etag)
            return
        await self._take_turn(message, delivery, etag, settings)

    async def _take_turn(self, message: Deliver, delivery: Delivery, etag: str, settings: ProviderConfig) -> None:
        """One attempt at a time, or a message that comes twice would be read twice. The other one looks again when the turn is over."""
        held = take(delivery, self.clock())
        if held is None:
            await self.queue.send(NOTIFICATIONS, message, not_before=delivery.held_until)
            return
        try:
            etag = await self.deliveries.save(held, etag)
        except Conflict:
            await self(message)
        else:
            await self._post(message, held, etag, settings)

    async def _post(self, message: Deliver, delivery: Delivery, etag: str, settings: ProviderConfig) -> None:
        try:
            provider = await self.connect(settings)
            await provider.post(Parcel(id=delivery.id, announcements=left(delivery)))
        except (Upstream, NotFound, Malformed) as error:
            await self._failed(message, delivery, etag, error)
            return
        await self.deliveries.save(after_success(delivery), etag)
        log.info("notification.sent", extra={"provider": settings.name, "announcements": len(delivery.announcements)})

    async def _failed(self, message: Deliver, delivery: Delivery, etag: str, error: SluiceError) -> None:
        """A missing secret is tried again like a channel that is down: someone will put it there."""
        code, retry_after = (error.code, error.retry_after) if isinstance(error, Upstream) else ("", None)
        delivery = with_taken(delivery, error.taken) if isinstance(error, Upstream) else delivery
        log.warning("notification.not-sent", extra={"provider": delivery.provider, "error": type(error).__name__, "code": code})
        failed, again_at = after_failure(delivery, f"{type(error).__name__} {code}".strip(), retry_after, self.clock())
        if isinstance(error, Rejected):
            failed, again_at = replace(failed, state="failed"), None
        if again_at is None:
            await self._give_up(failed, etag)
            return
        await self.deliveries.save(failed, etag)
        await self.queue.send(NOTIFICATIONS, message, not_before=again_at)

    async def _give_up(self, failed: Delivery, etag: str) -> None:
        """Nothing is dropped in silence: what nobody was told stands in the audit trail."""
        log.error("notification.failed", extra={"provider": failed.provider, "delivery": failed.id, "reason": failed.error})
        await self.audit.append(
            Entry(
                id=f"{failed.id}.failed",
                stream=failed.channel,
                at=self.clock(),
                actor="sluice",
                action="notification.failed",
                resource=failed.provider,
                cause=failed.announcements[0].id,
                detail={"reason": failed.error, "titles": "; ".join(told.title for told in left(failed))},
            )
        )
        await self.deliveries.save(failed, etag)
