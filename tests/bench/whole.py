"""A process of its own that takes one push through the app's use cases, one after the other, against the local servers, and counts.

`python -m tests.bench.whole BEFORE AFTER`, with the settings of a running stack without a host in the environment; prints JSON.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared import adapters, bootstrap
from shared.azure.cosmos.database import Database, Json
from shared.bootstrap import App
from shared.domain.changes import Change, change_id
from shared.domain.messages import CHANGES, CONFIG_UPDATES, KINDS, NOTIFICATIONS, ROLLOUT_STEPS, PlanChange, encode, read
from shared.domain.record import Record
from shared.domain.rollouts import FINISHED, rollout_id
from shared.domain.sources import canonical_url, source_id

_URL, _REF, _ROUTE = "https://github.com/contoso/platform", "refs/heads/main", "platform"
_LOOK_EVERY_SECONDS = 2.0


class CountingDatabase(Database):
    """Counts what the service bills: point reads, documents written, queries, and the documents and bytes that they give."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.counts: Counter[str] = Counter()

    async def read(self, container: str, item: str, partition: str) -> Json | None:
        found = await super().read(container, item, partition)
        self._count("read", found or {})
        return found

    async def create_item(self, container: str, document: Mapping[str, Any]) -> Json:
        self._count("written", document)
        return await super().create_item(container, document)

    async def replace(self, container: str, document: Mapping[str, Any], etag: str) -> Json:
        self._count("written", document)
        return await super().replace(container, document, etag)

    async def save_together(self, container: str, partition: str, documents: Sequence[tuple[Mapping[str, Any], str]]) -> list[str]:
        for document, _ in documents:
            self._count("written", document)
        return await super().save_together(container, partition, documents)

    async def query(
        self, container: str, text: str, parameters: Mapping[str, object], *, partition: str | None = None
    ) -> AsyncIterator[Json]:
        self.counts["queries"] += 1
        async for document in super().query(container, text, parameters, partition=partition):
            self._count("found", document)
            yield document

    def _count(self, what: str, document: Mapping[str, Any]) -> None:
        self.counts[what] += 1
        self.counts[f"{what} bytes"] += len(msgspec.json.encode(document))


class CountingQueue:
    """Implements ports.Queue in memory: what is counted here costs the same in Azurite."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.waiting: list[tuple[datetime, str, str]] = []

    async def send(self, queue: str, message: Record, *, not_before: datetime | None = None) -> None:
        await self.send_text(queue, encode(message), not_before=not_before)

    async def send_text(self, queue: str, text: str, *, not_before: datetime | None = None) -> None:
        self.sent[queue] += 1
        self.waiting.append((not_before or adapters.now(), queue, text))

    async def close(self) -> None:
        """Nothing is held open."""

    def take_due(self) -> list[tuple[str, Any]]:
        now = adapters.now()
        due = sorted(message for message in self.waiting if message[0] <= now)
        self.waiting = [message for message in self.waiting if message[0] > now]
        return [(queue, read(KINDS[queue], text.encode())) for _, queue, text in due]


async def measure(before: str, after: str) -> dict[str, object]:
    """Counts of one push from its planning to the last compliant cluster."""
    app, queue = bootstrap.app(), CountingQueue()
    settings = app.settings
    database = CountingDatabase(settings.cosmos_endpoint, settings.cosmos_database, settings.cosmos_key)
    vars(app).update(database=database, queue=queue)
    change = _change(before, after)
    await app.changes.record(change)
    await queue.send(CHANGES, PlanChange(source=change.source, change_id=change.id))
    database.counts.clear()
    await _until_finished(app, queue, rollout_id(change.id, _ROUTE))
    counts = dict(database.counts)
    await app.close()
    return {"database": counts, "messages": dict(queue.sent)}


def _change(before: str, after: str) -> Change:
    now = adapters.now()
    return Change(
        id=change_id("platform", "bench", _URL, _REF),
        source=source_id(_URL),
        url=canonical_url(_URL),
        ref=_REF,
        kind="updated",
        before=before,
        revision=after,
        forced=False,
        pushed_at=now,
        received_at=now,
        receiver="platform",
        delivery="bench",
        paths=None,
        author="bench",
        title="Move everything",
    )


async def _until_finished(app: App, queue: CountingQueue, rollout: str) -> None:
    """What the host does: messages as they are due, and a look at the fleet every now and then."""
    looked = adapters.now()
    while True:
        due = queue.take_due()
        for start in range(0, len(due), 16):
            await asyncio.gather(*(_handle(app, name, message) for name, message in due[start : start + 16]))
        if (adapters.now() - looked).total_seconds() > _LOOK_EVERY_SECONDS:
            looked = adapters.now()
            await app.observe()()
        if not due:
            found = await app.rollouts.get(rollout)
            if found is not None and found[0].state in FINISHED:
                return
            await asyncio.sleep(0.1)


async def _handle(app: App, queue: str, message: Any) -> None:
    match queue:
        case name if name == CHANGES:
            await (await app.plan())(message)
        case name if name == ROLLOUT_STEPS:
            await app.step()(message.rollout_id)
        case name if name == CONFIG_UPDATES:
            await app.apply()(message, holder=f"{message.target_id}.{message.attempt}")
        case name if name == NOTIFICATIONS:
            return  # a handful, whatever the fleet's size


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(asyncio.run(measure(*arguments))))  # noqa: T201 -- its output is what it is for


if __name__ == "__main__":
    main(sys.argv[1:])
