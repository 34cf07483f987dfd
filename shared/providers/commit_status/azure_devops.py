"""Azure DevOps: statuses of a commit (learn.microsoft.com, Azure DevOps REST API, Git: Statuses - Create)."""

from shared.domain.commit_reports import Saying
from shared.domain.commit_status import State
from shared.domain.commits import Commit
from shared.providers.commit_status.api import Authorize, GitApi, no_such_kind, not_a_repository, quoted, repository_path
from shared.providers.http import OutboundHttp

_PUBLIC = "https://dev.azure.com"
_GENRE = "sluice"
_STATES: dict[State, str] = {
    "pending": "pending",
    "running": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "notApplicable",
}


class AzureDevOps:
    """Implements ports.GitHost. `address` is that of the service or server, without organisation or collection."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address or _PUBLIC, authorize)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        """Statuses are added; of those with one genre and name the newest counts."""
        if saying.kind != "status":
            raise no_such_kind(saying.kind)
        status = {
            "state": _STATES[saying.state],
            "description": saying.text,
            "targetUrl": commit.link,
            "context": {"genre": _GENRE, "name": saying.environment},
        }
        repository = self._repository(commit.url)
        await self._api.call("POST", f"{repository}/commits/{commit.revision}/statuses?api-version=7.1", status)
        return ""

    def _repository(self, url: str) -> str:
        """ORGANISATION/PROJECT/_git/REPOSITORY, or of a server COLLECTION/PROJECT/_git/REPOSITORY."""
        path = repository_path(url, self._api.base)
        if len(path) != 4 or path[2] != "_git":
            raise not_a_repository()
        collection, project, _, name = map(quoted, path)
        return f"/{collection}/{project}/_apis/git/repositories/{name}"
