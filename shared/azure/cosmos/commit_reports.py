"""Container `rollouts`: what was last said of a commit, in a partition of its own. It lives as long as the rollouts do."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.commit_reports import CommitReport
from shared.ports import Sealer

_ITEM = "commit-report"

COMMIT_REPORT: Document[CommitReport] = Document(
    struct=CommitReport,
    kind="commit-report",
    version=1,
    container="rollouts",
    place=lambda report: (report.id, _ITEM),
    clear=frozenset({"rolloutAt", "attempts", "failingSince", "heldUntil", "wakeAt"}),
)


@dataclass(frozen=True)
class CosmosCommitReports:
    """Implements ports.CommitReports."""

    database: Database
    sealer: Sealer

    async def get(self, report_id: str) -> tuple[CommitReport, str] | None:
        return await self._shelf.get(report_id, _ITEM)

    async def save(self, report: CommitReport, etag: str) -> str:
        return await self._shelf.save(report, etag)

    @property
    def _shelf(self) -> Shelf[CommitReport]:
        return Shelf(self.database, self.sealer, COMMIT_REPORT)
