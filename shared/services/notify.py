"""An event is told: matched with the alerts, grouped, posted, retried."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from msgspec.structs import replace

from shared.config.fields import seconds
from shared.config.models import Alert, Config
from shared.config.models import Provider as ProviderConfig
from shared.domain.announcements import Announcement
from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.deliveries import Delivery, add, after_failure, after_success, has, take
from shared.domain.errors import Conflict, Malformed, NotFound, Rejected, SluiceError, Upstream
from shared.domain.messages import NOTIFICATIONS, Deliver, Notify
from shared.domain.record import digest
from shared.domain.rollouts import Rollout, RolloutEvent
from shared.log import event_logger
from shared.ports import Audit, Deliveries, Provider, Queue, Rollouts
from shared.services.announce import announce

log = event_logger("sluice.notify")

#: How long what may be told of many clusters at once is gathered, where the alert does not say.
_GATHERED_SECONDS = 120.0


@dataclass(frozen=True)
class Tell:
    """Puts an announcement into the message that it belongs to, for every alert that asks for it."""

    config: Config
    deliveries: Deliveries
    queue: Queue
    clock: Clock

    async def __call__(
        self, announcement: Announcement, *, route: str = "", group: dict[str, str] | None = None, at_least_seconds: float = 0
    ) -> None:
        """`group` holds the values that alerts may group by: rollout, stage, route, baseline; and `period`, by which all of them do.

        `at_least_seconds`: what may come in crowds is collected for so long where an alert has a shorter interval.
        """
        for alert in self.config.alerts:
            if _wants(alert, announcement, route):
                interval = seconds(alert.group.interval) or (_GATHERED_SECONDS if announcement.many else 0)
                await self._collect(alert, announcement, group or {}, max(interval, at_least_seconds))

    async def _collect(self, alert: Alert, announcement: Announcement, group: dict[str, str], interval: float) -> None:
        """Adds to the open message of the group, or begins one. A group whose message is sent already begins the next."""
        channel = digest("channel", alert.provider)
        alone = (announcement.kind, announcement.many) if announcement.many else (announcement.id,)
        is_grouped = interval if not announcement.many else seconds(alert.group.interval)
        key = tuple(group[by] for by in (*alert.group.by, "period") if by in group) if is_grouped else alone
        window = 0
        while True:
            delivery_id = digest("delivery", alert.name, *key, str(window))
            found = await self.deliveries.get(channel, delivery_id)
            if found is None:
                if await self._begin(alert, announcement, channel, delivery_id, interval):
                    return
                continue
            delivery, etag = found
            added = add(delivery, announcement)
            if added == delivery or (added is None and has(delivery, announcement.id)):
                await self._send(delivery)
                return
            if added is None:
                window += 1
                continue
            try:
                await self.deliveries.save(added, etag)
            except Conflict:
                continue
            return

    async def _begin(self, alert: Alert, announcement: Announcement, channel: str, delivery_id: str, interval: float) -> bool:
        now = self.clock()
        delivery = Delivery(
            id=delivery_id,
            channel=channel,
            provider=alert.provider,
            due_at=now + timedelta(seconds=interval),
            created_at=now,
            announcements=(announcement,),
        )
        if not await self.deliveries.create(delivery):
            return False
        await self._send(delivery)
        return True

    async def _send(self, delivery: Delivery) -> None:
        """Also for an announcement that comes again: the message of the first time may be lost."""
        if delivery.state == "collecting":
            message = Deliver(channel=delivery.channel, delivery_id=delivery.id)
            await self.queue.send(NOTIFICATIONS, message, not_before=delivery.due_at)


@dataclass(frozen=True)
class TellEvent:
    """The use case behind a `Notify` message: a rollout's event finds its alerts."""

    rollouts: Rollouts
    tell: Tell

    async def __call__(self, message: Notify) -> None:
        """Raises NotFound when rollout or event do not exist."""
        found = await self.rollouts.get(message.rollout_id)
        event = _event(found[0], message.event_id) if found else None
        if found is None or event is None:
            raise NotFound(f"rollout {message.rollout_id} has no event {message.event_id}")
        rollout = found[0]
        failed = []
        if event.stage is not None and event.severity == "error":
            failed = await self.rollouts.targets(rollout.id, stage=event.stage, states=("failed",))
        group = {"rollout": rollout.id, "stage": str(event.stage), "route": rollout.route}
        await self.tell(announce(rollout, event, failed), route=rollout.route, group=group)


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
            await provider.post(delivery.announcements)
        except (Upstream, NotFound, Malformed) as error:
            await self._failed(message, delivery, etag, error)
            return
        await self.deliveries.save(after_success(delivery), etag)
        log.info("notification.sent", extra={"provider": settings.name, "announcements": len(delivery.announcements)})

    async def _failed(self, message: Deliver, delivery: Delivery, etag: str, error: SluiceError) -> None:
        """A missing secret is tried again like a channel that is down: someone will put it there."""
        code, retry_after = (error.code, error.retry_after) if isinstance(error, Upstream) else ("", None)
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
                detail={"reason": failed.error, "titles": "; ".join(told.title for told in failed.announcements)},
            )
        )
        await self.deliveries.save(failed, etag)


def _event(rollout: Rollout, event_id: str) -> RolloutEvent | None:
    return next((event for event in rollout.events if event.id == event_id), None)


def _wants(alert: Alert, announcement: Announcement, route: str) -> bool:
    return (
        (alert.severity == "info" or announcement.severity == "error")
        and any(fnmatchcase(announcement.kind, pattern) for pattern in alert.events)
        and (not route or any(fnmatchcase(route, pattern) for pattern in alert.routes))
    )
