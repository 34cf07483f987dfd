"""The fleet in memory: what Resource Graph shows, single fluxConfigurations; and the use cases on them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from builders import resource_id
from fakes import FakeConfigurations, Faults
from sightings import REPORT, asked
from worlds import LEASE, World

from shared.domain.configurations import Configuration, cluster_id, configuration_id
from shared.domain.drift import DriftPolicy
from shared.domain.fleet import Asked, Sighting
from shared.domain.fleet_changes import Writer
from shared.domain.pins import Pin
from shared.services.record_trend import RecordTrend
from shared.services.restore import Restore
from shared.services.sweep_fleet import SweepFleet


class FakeInventory:
    def __init__(self, *shown: Sighting) -> None:
        self.shown = list(shown)
        self.looks = 0
        self.down: Exception | None = None
        self.meanwhile: Callable[[], object] | None = None

    async def look(self) -> AsyncIterator[Sighting]:
        self.looks += 1
        if self.meanwhile:
            self.meanwhile()
        for sighting in list(self.shown):
            await asyncio.sleep(0)
            yield sighting
        if self.down:
            raise self.down


class FakeAskedStates(FakeConfigurations):
    """The container with its look over all partitions."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self.since: list[datetime | None] = []

    async def asked_since(self, since: datetime | None) -> AsyncIterator[Configuration]:
        self.since.append(since)
        for record in self.kept.all():
            if record.applied_at and (since is None or record.applied_at >= since):
                yield record


class FakeRestorations:
    """`answers`: what the next restores raise, one by one (None = accepted)."""

    def __init__(self) -> None:
        self.restored: list[tuple[str, Pin, bool]] = []
        self.writers: dict[str, Writer] = {}
        self.asked: list[str] = []
        self.answers: list[Exception | None] = []
        self.down: Exception | None = None

    async def restore(self, configuration_id: str, pin: Pin, *, resume: bool) -> None:
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.restored.append((configuration_id, pin, resume))

    async def last_writer(self, configuration_id: str) -> Writer | None:
        self.asked.append(configuration_id)
        if self.down:
            raise self.down
        return self.writers.get(configuration_id)


@dataclass
class FleetWorld(World):
    policy: DriftPolicy = REPORT

    def __post_init__(self) -> None:
        super().__post_init__()
        self.inventory = FakeInventory()
        self.records = FakeAskedStates(self.faults)
        self.configurations = self.records
        self.restorations = FakeRestorations()

    async def sweep(self, holder: str = "") -> None:
        self._attempts += 1
        stores = (self.pages, self.records, self.restorations, self.foreign_writes)
        record_trend = RecordTrend(self.pages, [section.selector for section in self.config.digests], self.clock)
        sweep = SweepFleet(self.inventory, *stores, self.fleet_effects(), record_trend, self.policy, self.clock)
        await sweep(holder or f"sweep-{self._attempts}")

    def drift_policy(self) -> DriftPolicy:
        return self.policy

    def restore(self) -> Restore:
        return Restore(
            self.rollouts,
            self.records,
            self.restorations,
            self.pacer,
            self.audit,
            self.queue,
            self.clock,
            LEASE,
        )

    def ask(self, number: int = 0, what: Asked | None = None, **fields: Any) -> Configuration:
        """The record of an update that ARM accepted an hour before NOW."""
        found, key = what or asked(), resource_id(number)
        values: dict[str, Any] = {
            "id": configuration_id(key),
            "cluster_id": cluster_id(key),
            "subscription": "sub-1",
            "resource_id": key,
            "rollout_id": found.rollout_id,
            "dispatch": found.dispatch,
            "retry": found.retry,
            "revision": found.pin.revision,
            "ref": found.pin.ref,
            "pin": found.pin,
            "route": found.route,
            "source": found.source,
            "applied_at": found.applied_at,
        }
        record = Configuration(**values | fields)
        self.records.kept.put((record.cluster_id, record.id), record)
        return record

    def record(self, number: int = 0) -> Configuration:
        key = resource_id(number)
        return self.records.kept.now((cluster_id(key), configuration_id(key)))

    def told(self) -> list[tuple[str, str]]:
        """Kind and title of everything that is to be told, each once."""
        return [(told.kind, told.title) for delivery in self.deliveries.kept.all() for told in delivery.announcements]

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told()]
