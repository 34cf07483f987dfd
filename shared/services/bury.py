"""A message that failed too often: recorded, told, and put back when someone asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.errors import NotFound, SluiceError
from shared.domain.messages import KINDS, NOTIFICATIONS, read
from shared.domain.record import digest
from shared.log import event_logger
from shared.ports import Audit, Queue
from shared.services.tell import Tell

log = event_logger("sluice.bury")

STREAM = "poison"
_AGAIN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Bury:
    """The use case behind every poison queue.

    The host runs a poison message only as often as any other and has no further queue for it, so what cannot be recorded now is put
    back as a new message: it is never left to expire.
    """

    audit: Audit
    tell: Callable[[], Awaitable[Tell]]  #: made when needed: without a usable sluice.yaml a message is buried all the same
    queue: Queue
    clock: Clock

    async def __call__(self, queue: str, message_id: str, body: str) -> None:
        """Records the message first, so that it can be replayed; then tells the alerts."""
        grave = digest("poison", queue, message_id)
        try:
            await self._record(grave, queue, message_id, body)
        except SluiceError:
            log.exception("message.not-buried", extra={"queue": queue, "grave": grave})
            await self.queue.send_text(f"{queue}-poison", body, not_before=self.clock() + _AGAIN_AFTER)
            return
        try:
            await self._tell(grave, queue)
        except SluiceError:
            log.exception("message.not-told", extra={"queue": queue, "grave": grave})

    async def _record(self, grave: str, queue: str, message_id: str, body: str) -> None:
        log.error("message.buried", extra={"queue": queue, "grave": grave})
        await self.audit.append(
            Entry(
                id=grave,
                stream=STREAM,
                at=self.clock(),
                actor="sluice",
                action="message.buried",
                resource=queue,
                cause=message_id,
                detail={"body": body},
            )
        )

    async def _tell(self, grave: str, queue: str) -> None:
        if queue == NOTIFICATIONS:
            return  # telling is what failed: to tell of it would fail again, and be buried again, for ever
        tell = await self.tell()
        await tell(
            Announcement(
                id=grave,
                kind="message.buried",
                severity="error",
                title=f"A message failed in {queue}",
                summary="It was tried as often as host.json allows, and is recorded.",
                facts=(("Queue", queue),),
                clusters=(ClusterLine(name=grave, reason=f"sluice replay {grave}"),),
                many=f"{{n}} messages failed in {queue}",
                at=self.clock(),
                subject=f"queue {queue}",
                next_step="Find out why in the function's log; sluice replay puts a message back.",
                fields={"queue": queue},
            )
        )


@dataclass(frozen=True)
class Replay:
    """The use case behind `sluice replay`."""

    audit: Audit
    queue: Queue

    async def buried(self) -> list[Entry]:
        return [link.entry async for link in self.audit.read(STREAM) if link.entry is not None]

    async def __call__(self, grave: str) -> str:
        """Puts a buried message back and answers with its queue's name. Raises NotFound, or Malformed when it cannot be read."""
        entry = next((entry for entry in await self.buried() if entry.id == grave), None)
        if entry is None:
            raise NotFound(f"no buried message {grave}; `sluice replay` without an id lists them")
        await self.queue.send(entry.resource, read(KINDS[entry.resource], entry.detail["body"].encode()))
        return entry.resource
