"""A message goes out to its channel once it is due, and is tried again while the channel does not take it: docs/delivery.md."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.config.git_hosts import GIT_HOSTS
from shared.config.models import Config
from shared.config.models import Provider as ProviderConfig
from shared.domain.channels import channel
from shared.domain.clock import Clock
from shared.domain.deliveries import (
    POST_WITHIN,
    Delivery,
    after_failure,
    after_success,
    give_up,
    hand_over,
    may_take,
    overdue_at,
    parcel,
    take,
    wakes_at,
)
from shared.domain.errors import Conflict, Malformed, NotFound, SluiceError, Unavailable, Upstream
from shared.domain.failures import Failure, not_connected, not_posted
from shared.domain.messages import NOTIFICATIONS, Deliver
from shared.log import event_logger
from shared.ports import Deliveries, Provider, Queue
from shared.services.channel_pacing import ChannelPacer
from shared.services.delivery_metrics import measure_attempt, measure_end
from shared.services.undelivered import Undelivered

log = event_logger("sluice.notify")

_GONE = "the provider is no longer configured"
_SHUT = "the channel asked to wait until it was too late"


@dataclass(frozen=True)
class Post:
    """The use case behind a `Deliver` message: a grouped message goes out once its window closes."""

    config: Config
    deliveries: Deliveries
    queue: Queue
    clock: Clock
    connect: Callable[[ProviderConfig], Awaitable[Provider]]
    pacer: ChannelPacer
    undelivered: Undelivered
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def __call__(self, message: Deliver) -> None:
        """Raises NotFound when there is no such message."""
        found = await self.deliveries.get(message.channel, message.delivery_id)
        if found is None:
            raise NotFound(f"delivery {message.delivery_id} is not recorded")
        delivery, etag = found
        if delivery.state in ("failed", "handed-over"):
            await self.undelivered(delivery)  # whoever saved that may have died before the rest
            return
        if delivery.state != "collecting":
            return
        if self.clock() < (wakes := wakes_at(delivery)):
            await self._look_again(message, wakes)
            return
        try:
            await self._attempt(message, delivery, etag)
        except Conflict:
            await self(message)

    async def _attempt(self, message: Deliver, delivery: Delivery, etag: str) -> None:
        settings = self.config.provider(delivery.provider)
        if settings is None or settings.type in GIT_HOSTS:
            await self._end(delivery, etag, _GONE, None)
            return
        admission = await self.pacer.enter(settings, message.slot)
        if admission.is_in:
            await self._take_turn(message, delivery, etag, settings, admission.at)
        elif admission.is_shut and self.clock() >= overdue_at(delivery):
            await self._end(delivery, etag, delivery.error or _SHUT, settings.fallback)
        else:
            await self._look_again(replace(message, slot=admission.at), _by_its_end(admission.at, delivery, self.clock()))

    async def _take_turn(self, message: Deliver, delivery: Delivery, etag: str, settings: ProviderConfig, at: datetime) -> None:
        """One attempt at a time, or a message that comes twice would be read twice. The other one looks again when the turn is over."""
        held = take(delivery, self.clock())
        etag = await self.deliveries.save(held, etag)
        await self.wait(max(0.0, (at - self.clock()).total_seconds()))
        await self._post(message, held, etag, settings)

    async def _post(self, message: Deliver, delivery: Delivery, etag: str, settings: ProviderConfig) -> None:
        failure = await self._try(delivery, settings)
        if failure is not None:
            await self._failed(message, delivery, etag, settings, failure)
            return
        sent = after_success(delivery)
        await self.deliveries.save(sent, etag)
        measure_attempt(sent.provider, "sent")
        measure_end(sent, self.clock())
        log.info("notification.sent", extra={**_known(sent), "announcements": len(sent.announcements)})

    async def _try(self, delivery: Delivery, settings: ProviderConfig) -> Failure | None:
        """None when the channel has taken it."""
        try:
            provider = await self.connect(settings)
        except (SluiceError, ValueError) as error:
            return not_connected(error)
        try:
            async with asyncio.timeout(POST_WITHIN.total_seconds()):
                await provider.post(parcel(delivery))
        except TimeoutError:
            return not_posted(Unavailable("no answer", code="TimeoutError", unanswered=True))
        except (Upstream, NotFound, Malformed) as error:
            return not_posted(error)
        return None

    async def _failed(self, message: Deliver, delivery: Delivery, etag: str, settings: ProviderConfig, failure: Failure) -> None:
        now = self.clock()
        failed, again_at = after_failure(delivery, failure, now, repeats_show=channel(settings.type).repeats_show)
        measure_attempt(failed.provider, failure.kind)
        log.warning("notification.not-sent", extra={**_known(failed), "reason": failure.text})
        if failure.slows_all:
            until = now + timedelta(seconds=failure.retry_after) if failure.retry_after is not None else again_at
            await self.pacer.push_back(settings, until or now)
        if again_at is None:
            await self._end(failed, etag, failure.text, settings.fallback)
            return
        await self.deliveries.save(failed, etag)
        await self._look_again(replace(message, slot=again_at), again_at)

    async def _end(self, delivery: Delivery, etag: str, error: str, fallback: str | None) -> None:
        """It goes to the fallback, or else nobody was told. Saved first: what follows can be done again by whoever comes next."""
        now = self.clock()
        follows = fallback if fallback and may_take(delivery, fallback) else ""
        ended = hand_over(delivery, follows, error, now) if follows else give_up(delivery, error, now)
        await self.deliveries.save(ended, etag)
        measure_end(ended, now)
        await self.undelivered(ended)

    async def _look_again(self, message: Deliver, at: datetime) -> None:
        await self.queue.send(NOTIFICATIONS, message, not_before=at)


def _by_its_end(at: datetime, delivery: Delivery, now: datetime) -> datetime:
    """Who is in a line when its day ends is looked at then."""
    overdue = overdue_at(delivery)
    return min(at, overdue) if now < overdue else at


def _known(delivery: Delivery) -> dict[str, object]:
    """For log lines."""
    return {"provider": delivery.provider, "delivery": delivery.id, "attempts": delivery.attempts}
