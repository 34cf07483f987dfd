"""A change is recorded once, and waits to be planned."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.audit import Entry
from shared.domain.changes import Change
from shared.domain.messages import CHANGES, PlanChange
from shared.log import event_logger
from shared.ports import Audit, Changes, Queue

log = event_logger("sluice.record_change")


@dataclass(frozen=True)
class RecordChange:
    """What receivers and events do with a change."""

    changes: Changes
    audit: Audit
    queue: Queue

    async def __call__(self, change: Change, *, due: datetime | None = None) -> bool:
        """Whether the change is new; it is planned when it is due. Its message is sent again in any case: the first one may be lost."""
        await self.changes.mark_unplanned(change, due=due)
        new = await self.changes.record(change)
        message = PlanChange(source=change.source, change_id=change.id)
        await self.queue.send(CHANGES, message, not_before=due if due and due > change.received_at else None)
        await self.audit.append(
            Entry(
                id=f"{change.id}.received",
                stream=change.source,
                at=change.received_at,
                actor=change.author or change.receiver,
                action="change.received",
                resource=f"{change.url} {change.ref}",
                cause=change.delivery,
                detail={
                    "revision": change.revision,
                    "receiver": change.receiver,
                    "kind": change.kind,
                    "automated": str(change.automated).lower(),
                },
            )
        )
        log.info("change.received", extra={"change": change.id, "new": new})
        return new
