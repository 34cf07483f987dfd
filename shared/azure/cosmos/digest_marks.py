"""Container `fleet`: how far each digest is, in one document of its own partition."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.periods import Marks
from shared.ports import Sealer

_DIGESTS = "digests"

MARKS: Document[Marks] = Document(
    struct=Marks,
    kind="digest-marks",
    version=1,
    container="fleet",
    place=lambda _: (_DIGESTS, _DIGESTS),
    clear=frozenset(),
)


@dataclass(frozen=True)
class CosmosDigestMarks:
    """Implements ports.DigestMarks."""

    database: Database
    sealer: Sealer

    async def get(self) -> tuple[Marks, str]:
        return await self._shelf.get(_DIGESTS, _DIGESTS) or (Marks(), "")

    async def save(self, marks: Marks, etag: str) -> None:
        await self._shelf.save(marks, etag)

    @property
    def _shelf(self) -> Shelf[Marks]:
        return Shelf(self.database, self.sealer, MARKS)
