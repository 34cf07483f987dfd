"""An event is told: matched with the alerts, and put into the message that it belongs to."""

from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from shared.config.channels import is_on_call
from shared.config.fields import seconds
from shared.config.models import Alert, Config
from shared.domain.announcements import Announcement
from shared.domain.clock import Clock
from shared.domain.deliveries import Delivery, add, has
from shared.domain.errors import Conflict, NotFound
from shared.domain.incidents import effect
from shared.domain.messages import NOTIFICATIONS, Deliver, Notify
from shared.domain.record import digest
from shared.domain.rollouts import Rollout, RolloutEvent
from shared.ports import Deliveries, Queue, Rollouts
from shared.services.announce import announce

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
            if _wants(alert, announcement, route, on_call=self._is_on_call(alert)):
                interval = seconds(alert.group.interval) or (_GATHERED_SECONDS if announcement.many else 0)
                await self._collect(alert, announcement, group or {}, max(interval, at_least_seconds))

    def _is_on_call(self, alert: Alert) -> bool:
        provider = self.config.provider(alert.provider)
        return provider is not None and is_on_call(provider.type)

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
    public_url: str  #: this app's own address; "" where no setting tells it

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
        await self.tell(announce(rollout, event, failed, self.public_url), route=rollout.route, group=group)


def _event(rollout: Rollout, event_id: str) -> RolloutEvent | None:
    return next((event for event in rollout.events if event.id == event_id), None)


def _wants(alert: Alert, announcement: Announcement, route: str, *, on_call: bool) -> bool:
    """Who is on call hears of trouble that the alert asks for, and of its end whatever the alert asks for, and of nothing else."""
    if route and not any(fnmatchcase(route, pattern) for pattern in alert.routes):
        return False
    if on_call and effect(announcement) != "opens":
        return effect(announcement) == "resolves"
    is_severe = alert.severity == "info" or announcement.severity == "error"
    return is_severe and any(fnmatchcase(announcement.kind, pattern) for pattern in alert.events)
