"""Azure Event Grid: events in the schema of CloudEvents 1.0, published to a custom topic.

https://learn.microsoft.com/azure/event-grid/cloud-event-schema; a request holds at most 1 MB, or it is answered 413
(https://learn.microsoft.com/azure/event-grid/event-schema).
"""

import json
from collections.abc import Iterator, Sequence

from shared.domain.announcements import Announcement
from shared.domain.cloud_events import Event, cloud_event
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected, Unavailable, Upstream
from shared.providers.means import Means

BATCH_LIMIT = 1_000_000  #: bytes of JSON as Microsoft's client writes it: in ASCII
# A role that was just assigned takes minutes to count. A topic that is not there yet (404) is Unavailable already: Microsoft's client hides
# the status.
_COMES_LATER = frozenset({401, 403})


class EventGridProvider:
    """Implements ports.Provider. `address` is the topic's endpoint; without a `token`, its access key, the app's identity publishes."""

    def __init__(self, means: Means) -> None:
        if means.topics is None:
            raise ValueError("Event Grid needs a way to its topics")
        self._means = means
        self._topics = means.topics

    async def post(self, parcel: Parcel) -> None:
        taken: set[str] = set()
        for batch in batches(parcel.announcements, self._means.source):
            try:
                await self._publish([event for _, event in batch])
            except Upstream as error:
                error.taken = frozenset(taken)
                raise
            taken.update(announcement.id for announcement, _ in batch)

    async def _publish(self, events: list[Event]) -> None:
        try:
            await self._topics.publish(self._means.address, events, key=self._means.token)
        except Rejected as error:
            if error.status in _COMES_LATER:
                raise Unavailable(str(error), code=error.code, status=error.status) from None
            raise


def batches(announcements: Sequence[Announcement], source: str) -> Iterator[list[tuple[Announcement, Event]]]:
    """Each of at most 1 MB, in order."""
    batch: list[tuple[Announcement, Event]] = []
    size = 2
    for announcement in announcements:
        event = cloud_event(announcement, source)
        length = len(json.dumps(event)) + 2
        if batch and size + length > BATCH_LIMIT:
            yield batch
            batch, size = [], 2
        batch.append((announcement, event))
        size += length
    if batch:
        yield batch
