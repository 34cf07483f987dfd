"""Container `changes`: one document a check and revision, beside the changes of its source. It lives as long as they do."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.checks import CheckResult, check_id, is_newer
from shared.domain.errors import Conflict
from shared.domain.gates import CheckState
from shared.ports import Sealer

CHECK: Document[CheckResult] = Document(
    struct=CheckResult,
    kind="check",
    version=1,
    container="changes",
    place=lambda result: (result.source, check_id(result.revision, result.name)),
    clear=frozenset({"source", "revision", "state", "at"}),
)


@dataclass(frozen=True)
class CosmosChecks:
    """Implements ports.Checks."""

    database: Database
    sealer: Sealer

    async def record(self, result: CheckResult) -> bool:
        while True:
            found = await self._shelf.get(*CHECK.place(result))
            if found and not is_newer(result, found[0]):
                return False
            try:
                await self._shelf.save(result, found[1] if found else "")
            except Conflict:
                continue
            return True

    async def of(self, source: str, revision: str) -> dict[str, CheckState]:
        text = "SELECT * FROM c WHERE c.source = @source AND c.type = 'check' AND c.revision = @revision"
        found = self.database.query("changes", text, {"@source": source, "@revision": revision}, partition=source)
        results = [await self._shelf.decode(document) async for document in found]
        return {result.name: result.state for result in results}

    @property
    def _shelf(self) -> Shelf[CheckResult]:
        return Shelf(self.database, self.sealer, CHECK)
