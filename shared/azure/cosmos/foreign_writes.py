"""Container `configurations`: the newest write by someone else, one document a fluxConfiguration."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.configurations import cluster_id
from shared.domain.errors import Conflict
from shared.domain.foreign_writes import ForeignWrite, foreign_write_id
from shared.ports import Sealer


def _place(configuration_id: str) -> tuple[str, str]:
    return cluster_id(configuration_id), foreign_write_id(configuration_id)


FOREIGN_WRITE: Document[ForeignWrite] = Document(
    struct=ForeignWrite,
    kind="foreign-write",
    version=1,
    container="configurations",
    place=lambda write: _place(write.configuration_id),
    clear=frozenset({"subscription", "operation", "at"}),
    scope=lambda write: write.subscription,
)


@dataclass(frozen=True)
class CosmosForeignWrites:
    """Implements ports.ForeignWrites."""

    database: Database
    sealer: Sealer

    async def record(self, write: ForeignWrite) -> bool:
        while True:
            found = await self._shelf.get(*FOREIGN_WRITE.place(write))
            if not write.is_newer(found[0] if found else None):
                return False
            try:
                await self._shelf.save(write, found[1] if found else "")
            except Conflict:
                continue
            return True

    async def get(self, configuration_id: str) -> ForeignWrite | None:
        found = await self._shelf.get(*_place(configuration_id))
        return found[0] if found else None

    @property
    def _shelf(self) -> Shelf[ForeignWrite]:
        return Shelf(self.database, self.sealer, FOREIGN_WRITE)
