"""What is asked of fluxConfigurations, and what else wrote to them."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from shared.domain.configurations import Configuration
from shared.domain.fleet_changes import Writer
from shared.domain.foreign_writes import ForeignWrite
from shared.domain.pins import Pin


class Configurations(Protocol):
    """What Sluice last asked each fluxConfiguration to be."""

    async def get(self, cluster_id: str, configuration_id: str) -> tuple[Configuration, str]:
        """The record and its ETag; a new one with ETag "" where there is none."""
        ...

    async def save(self, configuration: Configuration, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...


class ForeignWrites(Protocol):
    """Who else wrote fluxConfigurations, and when."""

    async def record(self, write: ForeignWrite) -> bool:
        """Keeps it where it is the newest of its fluxConfiguration; False when it changed nothing."""
        ...

    async def get(self, configuration_id: str) -> ForeignWrite | None:
        """The newest one known, by ARM id."""
        ...


class Restorations(Protocol):
    """Single fluxConfigurations in Azure Resource Manager."""

    async def restore(self, configuration_id: str, pin: Pin, *, resume: bool) -> None:
        """Writes once more what was asked; with `resume` also that it is not suspended. Raises as `ResourceManager.pin` does."""
        ...

    async def last_writer(self, configuration_id: str) -> Writer | None:
        """Who wrote it last, as Azure knows it; None where it does not tell, or has no such fluxConfiguration.

        Raises Throttled, Unavailable or Rejected.
        """
        ...


class AskedStates(Protocol):
    """What was asked of the whole fleet."""

    def asked_since(self, since: datetime | None) -> AsyncIterator[Configuration]:
        """The records of updates that ARM accepted since then; None = all. Across all partitions, once a sweep."""
        ...

    async def get(self, cluster_id: str, configuration_id: str) -> tuple[Configuration, str]: ...
