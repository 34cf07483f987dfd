"""Azure DevOps: statuses of a commit, and a comment on the completed pull request.

The source is learn.microsoft.com, Azure DevOps REST API, Git: Statuses, Pull Request Query, Pull Request Threads.
"""

import msgspec

from shared.domain.commit_reports import Saying
from shared.domain.commit_status import State
from shared.domain.commits import Commit
from shared.providers.commit_status.api import Authorize, GitApi, no_such_kind, not_a_repository, quoted, read, repository_path
from shared.providers.commit_status.comments import Comments, unseen
from shared.providers.http import OutboundHttp

_PUBLIC = "https://dev.azure.com"
_GENRE = "sluice"
_VERSION = "api-version=7.1"
_STATES: dict[State, str] = {
    "pending": "pending",
    "running": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "notApplicable",
}


class _Pull(msgspec.Struct, rename="camel"):
    pull_request_id: int
    status: str = ""


class _Query(msgspec.Struct):
    results: list[dict[str, list[_Pull]]] = []


class _Comment(msgspec.Struct):
    content: str = ""


class _Thread(msgspec.Struct, rename="camel"):
    id: int
    is_deleted: bool = False
    comments: list[_Comment] = []


class _ThreadList(msgspec.Struct):
    value: list[_Thread] = []


class AzureDevOps:
    """Implements ports.GitHost. `address` is that of the service or server, without organisation or collection."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address or _PUBLIC, authorize)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        repository = self._repository(commit.url)
        match saying.kind:
            case "status":
                return await self._set_status(repository, commit, saying)
            case "comment":
                return await _Threads(self._api, repository, commit).write(reference, saying.text)
            case _:
                raise no_such_kind(saying.kind)

    async def _set_status(self, repository: str, commit: Commit, saying: Saying) -> str:
        """Statuses are added; of those with one genre and name the newest counts."""
        status = {
            "state": _STATES[saying.state],
            "description": saying.text,
            "targetUrl": commit.link,
            "context": {"genre": _GENRE, "name": saying.environment},
        }
        await self._api.call("POST", f"{repository}/commits/{commit.revision}/statuses?{_VERSION}", status)
        return ""

    def _repository(self, url: str) -> str:
        """ORGANISATION/PROJECT/_git/REPOSITORY, or of a server COLLECTION/PROJECT/_git/REPOSITORY."""
        path = repository_path(url, self._api.base)
        if len(path) != 4 or path[2] != "_git":
            raise not_a_repository()
        collection, project, _, name = map(quoted, path)
        return f"/{collection}/{project}/_apis/git/repositories/{name}"


class _Threads(Comments):
    """A thread with one comment. References are PULL_REQUEST/THREAD."""

    def __init__(self, api: GitApi, repository: str, commit: Commit) -> None:
        self._api = api
        self._repository = repository
        self._revision = commit.revision
        self.marker = unseen(commit.key)

    async def pull(self) -> str:
        """The one whose completion made the commit, else one that brought it."""
        queries = [{"type": kind, "items": [self._revision]} for kind in ("lastMergeCommit", "commit")]
        answer = await self._api.call("POST", f"{self._repository}/pullrequestquery?{_VERSION}", {"queries": queries})
        found = [pull for result in read(answer, _Query).results for pull in result.get(self._revision, [])]
        return next((str(pull.pull_request_id) for pull in found if pull.status == "completed"), "")

    async def find(self, pull: str) -> str:
        threads = await self._api.get(f"{self._threads(pull)}?{_VERSION}", _ThreadList)
        ours = (thread.id for thread in threads.value if not thread.is_deleted and self.is_ours(_first(thread)))
        return next((f"{pull}/{number}" for number in ours), "")

    async def edit(self, reference: str, text: str) -> bool:
        pull, _, thread = reference.partition("/")
        address = f"{self._threads(pull)}/{thread}/comments/1?{_VERSION}"
        answer = await self._api.call("PATCH", address, {"content": self.marked(text)}, also=(404,))
        return answer.status != 404

    async def create(self, pull: str, text: str) -> str:
        """Closed, since it asks nobody for anything: an open thread can keep later pull requests from being completed."""
        thread = {
            "comments": [{"parentCommentId": 0, "content": self.marked(text), "commentType": "text"}],
            "status": "closed",
        }
        return f"{pull}/{read(await self._api.call('POST', f'{self._threads(pull)}?{_VERSION}', thread), _Thread).id}"

    def _threads(self, pull: str) -> str:
        return f"{self._repository}/pullRequests/{pull}/threads"


def _first(thread: _Thread) -> str:
    return thread.comments[0].content if thread.comments else ""
