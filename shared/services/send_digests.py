"""Digests that are due go out, each period once."""

from dataclasses import dataclass

from msgspec.structs import replace

from shared.config.digests import DigestSection
from shared.config.models import Config
from shared.domain.announcements import Announcement
from shared.domain.clock import Clock
from shared.domain.deliveries import Delivery
from shared.domain.errors import Conflict, NotFound, SluiceError
from shared.domain.messages import NOTIFICATIONS, Deliver
from shared.domain.periods import Marks, Period, due, followed, last_period, next_end, told
from shared.domain.record import digest as stable_id
from shared.log import event_logger
from shared.ports import Deliveries, DigestMarks, Queue
from shared.services.digest_wording import announcement_id
from shared.services.make_digest import MakeDigest

log = event_logger("sluice.digest")


@dataclass(frozen=True)
class SendDigests:
    """The use case that a timer calls every minute.

    What is sent carries an id made of the digest's name and the period, and is recorded before it is marked as told: whoever dies in
    between, or comes at the same time, finds it there.
    """

    config: Config
    marks: DigestMarks
    make: MakeDigest
    deliveries: Deliveries
    queue: Queue
    clock: Clock

    async def __call__(self) -> None:
        marks, etag = await self.marks.get()
        now = self.clock()
        known = followed(marks, [section.name for section in self.config.digests], now)
        after = known
        for section in self.config.digests:
            mark = known.marks[section.name]
            period = due(section.when(), mark, now)
            if period and await self._is_sent(section, period):
                after = replace(after, marks={**after.marks, section.name: told(mark, period)})
        if after != marks:
            await self._save(after, etag)

    async def _save(self, marks: Marks, etag: str) -> None:
        try:
            await self.marks.save(marks, etag)
        except Conflict:
            log.info("digest.overtaken")

    async def _is_sent(self, section: DigestSection, period: Period) -> bool:
        """One that cannot be made now is tried again in a minute, and holds up no other."""
        try:
            await self._send(section, period)
        except SluiceError as error:
            log.exception("digest.not-made", extra={"digest": section.name, "error": type(error).__name__})
            return False
        return True

    async def _send(self, section: DigestSection, period: Period) -> None:
        """Records the message where nobody has, and puts it on its way: the one of the first time may be lost."""
        channel, delivery_id = stable_id("channel", section.provider), announcement_id(section, period.id)
        found = await self.deliveries.get(channel, delivery_id)
        if found is None:
            await self.deliveries.create(self._delivery(section, channel, await self.make(section, period)))
            log.info("digest.made", extra={"digest": section.name, "period": period.id})
        if found is None or found[0].state == "collecting":
            await self.queue.send(NOTIFICATIONS, Deliver(channel=channel, delivery_id=delivery_id))

    def _delivery(self, section: DigestSection, channel: str, announcement: Announcement) -> Delivery:
        now = self.clock()
        return Delivery(
            id=announcement.id,
            channel=channel,
            provider=section.provider,
            due_at=now,
            created_at=now,
            announcements=(announcement,),
        )


@dataclass(frozen=True)
class ReportDigest:
    """The use case behind GET /api/digests/{name}: what the digest would say now, of the time since the last one was due."""

    config: Config
    marks: DigestMarks
    make: MakeDigest
    clock: Clock

    async def __call__(self, name: str) -> dict[str, object]:
        """Raises NotFound where sluice.yaml has no digest of that name."""
        section = self.config.digest(name)
        if section is None:
            raise NotFound(f"there is no digest named {name}")
        now, when = self.clock(), section.when()
        marks, _ = await self.marks.get()
        mark, ends = marks.marks.get(name), next_end(when, now)
        period = replace(last_period(when, ends), end=now)
        return {
            "digest": name,
            "provider": section.provider,
            "schedule": section.schedule,
            "timeZone": section.time_zone,
            "lastAt": mark.until.isoformat() if mark and mark.until else None,
            "nextAt": ends.isoformat(),
            "preview": await self._preview(section, period),
        }

    async def _preview(self, section: DigestSection, period: Period) -> dict[str, object]:
        made = await self.make(section, period)
        return {
            "title": made.title,
            "summary": made.summary,
            "facts": [{"label": label, "value": value} for label, value in made.facts],
            "clusters": [{"name": line.name, "reason": line.reason} for line in made.clusters],
            "moreClusters": made.more_clusters,
            "nextStep": made.next_step,
            "fields": made.fields,
            "picture": made.picture.png if made.picture else None,  # base64, as JSON has bytes
        }
