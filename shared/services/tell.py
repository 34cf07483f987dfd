"""An event is told: matched with the alerts, and put into the message that it belongs to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from msgspec.structs import replace

from shared.config.models import Config
from shared.domain.alerting import Rule, due_at, group_of, interval_of, limits_of, quiet_until, slot, takes
from shared.domain.announcements import Announcement
from shared.domain.clock import Clock
from shared.domain.deliveries import Delivery, gather, is_full
from shared.domain.errors import Conflict, NotFound
from shared.domain.messages import NOTIFICATIONS, Deliver, Notify
from shared.domain.record import digest
from shared.domain.rollouts import Rollout, RolloutEvent
from shared.log import event_logger
from shared.ports import Deliveries, Queue, Rollouts
from shared.services.announce import announce

log = event_logger("sluice.tell")

#: What lasts is told again at its moment, or not at all: looks at the fleet come every few minutes.
_REMINDED_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True)
class Tell:
    """Puts an announcement into the message that it belongs to, for every alert that asks for it."""

    config: Config
    deliveries: Deliveries
    queue: Queue
    clock: Clock
    public_url: str = ""  #: this app's own address; "" where no setting tells it

    async def __call__(
        self, announcement: Announcement, *, route: str = "", group: dict[str, str] | None = None, since: datetime | None = None
    ) -> None:
        """`group` holds the values that alerts may group by: rollout, stage, route, baseline; and `batch`, what programs are told at once.

        `since`: the time that decides its group, where an announcement of this id may come with other times.
        """
        await self.all([announcement], route=route, group=group, since=since)

    async def all(
        self,
        announcements: Sequence[Announcement],
        *,
        route: str = "",
        group: dict[str, str] | None = None,
        since: datetime | None = None,
    ) -> None:
        """Many at once: each is matched by itself, and those of one message cost one write."""
        for rule in self.config.rules():
            await self._tell(rule, announcements, route, group or {}, since)

    async def again(self, lasting: Iterable[Announcement]) -> None:
        """Reminds of what lasts, given as of when it began: at one moment for all, those that lasted at the moment before already."""
        lasting = tuple(lasting)
        for rule in self.config.rules():
            now = self.clock()
            moment = slot(rule.repeat, now) if rule.repeat else now
            if not rule.repeat or now - moment > _REMINDED_WITHIN:
                continue
            apart: dict[tuple[str, str], list[Announcement]] = defaultdict(list)
            for each in lasting:
                if each.at and each.at <= moment - rule.repeat / 2:
                    told_for = (quiet_until(rule, each.severity, moment) or moment).isoformat()
                    apart[str(each.fields.get("route", "")), told_for].append(_reminder(each, told_for))
            for (route, told_for), alike in apart.items():
                await self._tell(rule, alike, route, {"reminder": told_for}, moment)

    async def _tell(
        self, rule: Rule, announcements: Sequence[Announcement], route: str, group: dict[str, str], since: datetime | None
    ) -> None:
        together: dict[tuple[str, ...], list[Announcement]] = defaultdict(list)
        for announcement in announcements:
            if self._wants(rule, announcement, route):
                together[group_of(rule, announcement, group, since or announcement.at)].append(announcement)
        for key, alike in together.items():
            await self._collect(rule, alike, key)

    def _wants(self, rule: Rule, announcement: Announcement, route: str) -> bool:
        is_wanted, troubles = takes(rule, announcement, route)
        for trouble in troubles:
            _log_trouble(rule.name, trouble.field, trouble.reason)
        return is_wanted

    async def _collect(self, rule: Rule, announcements: list[Announcement], key: tuple[str, ...]) -> None:
        """Adds to the open message of the group, or begins one. A group whose message is sent already, or full, begins the next."""
        channel, rest, window = digest("channel", rule.provider), announcements, 0
        before: Delivery | None = None
        while rest:
            delivery_id = digest("delivery", rule.name, *key, str(window))
            found = await self.deliveries.get(channel, delivery_id)
            delivery, etag = found or (self._begun(rule, rest[0], channel, delivery_id, before), "")
            gathered, left = self._gather(rule, delivery, rest)
            if found is None or gathered != delivery:
                try:
                    await self.deliveries.save(gathered, etag)
                except Conflict:
                    continue
            if found is None or gathered.due_at != delivery.due_at or (gathered == delivery and len(left) < len(rest)):
                await self._send(gathered)
            before, rest, window = gathered, left, window + 1

    def _begun(self, rule: Rule, first: Announcement, channel: str, delivery_id: str, before: Delivery | None) -> Delivery:
        now = self.clock()
        due = due_at(rule, first.severity, now, interval_of(rule, first, before, now))
        return Delivery(id=delivery_id, channel=channel, provider=rule.provider, due_at=due, created_at=now)

    def _gather(self, rule: Rule, delivery: Delivery, rest: list[Announcement]) -> tuple[Delivery, list[Announcement]]:
        """A message that is full goes out at once: waiting would bring nothing more."""
        limits = limits_of(rule)
        gathered, left = gather(delivery, rest, limits)
        if gathered != delivery and is_full(gathered, limits):
            at_once = due_at(rule, rest[0].severity, self.clock(), timedelta(0))
            gathered = replace(gathered, due_at=min(gathered.due_at, at_once))
        return gathered, left

    async def _send(self, delivery: Delivery) -> None:
        """Also for an announcement that comes again: the message of the first time may be lost."""
        if delivery.state == "collecting":
            message = Deliver(channel=delivery.channel, delivery_id=delivery.id)
            await self.queue.send(NOTIFICATIONS, message, not_before=delivery.due_at)


def _reminder(lasting: Announcement, told_for: str) -> Announcement:
    """The same once more, as still so. However often its moment comes within quiet hours, it is told once at their end."""
    return replace(
        lasting,
        id=digest("reminder", lasting.id, told_for),
        title=f"Still: {lasting.title}",
        many=lasting.many and f"Still: {lasting.many}",
    )


@lru_cache(maxsize=256)
def _log_trouble(alert: str, field: str, reason: str) -> None:
    """Once an instance: an expression that cannot be computed for one event cannot be for thousands."""
    log.warning("alert.expression", extra={"alert": alert, "field": field, "reason": reason})


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
