"""What a monitored timer remembers between runs of the host, in the blob where the real host keeps it.

azure-webjobs-hosts / timers/{hostId}/Host.Functions.{name}/status holds {"Last", "Next", "LastUpdated"}.
Source: github.com/Azure/azure-webjobs-sdk-extensions, Timers/Scheduling (StorageScheduleMonitor, ScheduleMonitor).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from local.host.schedules import Schedule

CONTAINER: Final = "azure-webjobs-hosts"
NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class TimerStatus:
    """`last` is NEVER until the first run."""

    last: datetime
    next: datetime
    last_updated: datetime

    def to_json(self) -> dict[str, str]:
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.last_updated.isoformat(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "TimerStatus":
        """Raises ValueError or KeyError where the document is not a status."""
        moments = (datetime.fromisoformat(document[name]) for name in ("Last", "Next", "LastUpdated"))
        return cls(*(moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments))


@dataclass(frozen=True)
class StartDecision:
    """What a timer does when the host starts: the status to go on from, and whether a run was missed."""

    status: TimerStatus
    is_past_due: bool


def decide_at_start(stored: TimerStatus | None, schedule: Schedule, now: datetime) -> StartDecision:
    """A run was missed where the stored Next is over, unless the schedule was changed since then."""
    if stored is None:
        return StartDecision(TimerStatus(NEVER, schedule.next_after(now), now), is_past_due=False)
    expected = schedule.next_after(stored.last_updated if stored.last == NEVER else stored.last)
    if stored.next != expected:
        return StartDecision(TimerStatus(stored.last, schedule.next_after(now), now), is_past_due=False)
    return StartDecision(stored, is_past_due=now > stored.next)


def after_run(status: TimerStatus, schedule: Schedule, started: datetime, now: datetime) -> TimerStatus:
    """The status after a run. A timer that rang a little early must not ring again for the same moment."""
    last = max(started, status.next) if started > status.last else status.last
    return TimerStatus(last, schedule.next_after(last), now)


class TimerStatusStore:
    """Reads and writes one timer's status blob."""

    def __init__(self, blobs: BlobServiceClient, host_id: str, function_name: str) -> None:
        self._container = blobs.get_container_client(CONTAINER)
        self._blob = self._container.get_blob_client(f"timers/{host_id}/Host.Functions.{function_name}/status")

    async def read(self) -> TimerStatus | None:
        """None where there is none yet, or where what is there is not a status (it is then written anew)."""
        try:
            download = await self._blob.download_blob()
            return TimerStatus.from_json(json.loads(await download.readall()))
        except (ResourceNotFoundError, ValueError, KeyError, TypeError):
            return None

    async def write(self, status: TimerStatus) -> None:
        """Raises AzureError where the storage service does not take it."""
        content = json.dumps(status.to_json())
        try:
            await self._blob.upload_blob(content, overwrite=True)
        except ResourceNotFoundError:
            await self._create_container()
            await self._blob.upload_blob(content, overwrite=True)

    async def _create_container(self) -> None:
        try:
            await self._container.create_container()
        except ResourceExistsError:
            return  # another timer was faster
