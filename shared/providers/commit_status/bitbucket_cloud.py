"""Bitbucket Cloud: build statuses of a commit, and a comment on the merged pull request.

The source is developer.atlassian.com, Bitbucket Cloud REST API: commit statuses, pullrequests.
"""

from urllib.parse import urlencode

import msgspec

from shared.domain.commit_reports import Saying
from shared.domain.commit_status import State
from shared.domain.commits import Commit
from shared.domain.errors import Unavailable
from shared.domain.record import digest
from shared.providers.commit_status.api import Authorize, GitApi, no_such_kind, read, repository_path, two_parts
from shared.providers.commit_status.comments import LOOKED_THROUGH, Comments, unseen
from shared.providers.http import OutboundHttp

_PUBLIC = "https://api.bitbucket.org"
_STATES: dict[State, str] = {
    "pending": "INPROGRESS",
    "running": "INPROGRESS",
    "succeeded": "SUCCESSFUL",
    "failed": "FAILED",
    "cancelled": "STOPPED",
}


class _Hash(msgspec.Struct):
    hash: str = ""


class _Pull(msgspec.Struct):
    id: int
    state: str = ""
    merge_commit: _Hash | None = None


class _Pulls(msgspec.Struct):
    values: list[_Pull] = []


class _Content(msgspec.Struct):
    raw: str = ""


class _Comment(msgspec.Struct):
    id: int
    content: _Content = msgspec.field(default_factory=_Content)
    deleted: bool = False


class _CommentsPage(msgspec.Struct):
    values: list[_Comment] = []


class BitbucketCloud:
    """Implements ports.GitHost."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address or _PUBLIC, authorize)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        workspace, slug = two_parts(repository_path(commit.url, self._api.base))
        repository = f"/2.0/repositories/{workspace}/{slug}"
        match saying.kind:
            case "status":
                return await self._set_status(repository, commit, saying)
            case "comment":
                return await _PullRequestComments(self._api, repository, commit).write(reference, saying.text)
            case _:
                raise no_such_kind(saying.kind)

    async def _set_status(self, repository: str, commit: Commit, saying: Saying) -> str:
        """A status of the same key is overwritten. Keys have 40 characters at most, names may be longer."""
        status = {
            "key": digest(saying.context),
            "name": saying.context,
            "state": _STATES[saying.state],
            "url": commit.link,
            "description": saying.text,
            **({"refname": commit.branch} if commit.branch else {}),
        }
        await self._api.call("POST", f"{repository}/commit/{commit.revision}/statuses/build", status)
        return ""


class _PullRequestComments(Comments):
    """References are PULL_REQUEST/COMMENT."""

    def __init__(self, api: GitApi, repository: str, commit: Commit) -> None:
        self._api = api
        self._repository = repository
        self._revision = commit.revision
        self.marker = unseen(commit.key)

    async def pull(self) -> str:
        """Bitbucket indexes pull requests by commit when it is first asked (202), if its app for that is installed (404 without)."""
        answer = await self._api.call("GET", f"{self._repository}/commit/{self._revision}/pullrequests?pagelen=10", also=(404,))
        if answer.status == 202:
            raise Unavailable("Bitbucket is still looking for the pull request", code="Indexing")
        if answer.status == 404:
            return ""
        merged = [pull for pull in read(answer, _Pulls).values if pull.state in ("", "MERGED")]
        merged.sort(key=lambda pull: pull.merge_commit is None or not self._revision.startswith(pull.merge_commit.hash or "-"))
        return str(merged[0].id) if merged else ""

    async def find(self, pull: str) -> str:
        query = urlencode({"sort": "-created_on", "pagelen": LOOKED_THROUGH})
        page = await self._api.get(f"{self._comments(pull)}?{query}", _CommentsPage)
        ours = (comment.id for comment in page.values if not comment.deleted and self.is_ours(comment.content.raw))
        return next((f"{pull}/{number}" for number in ours), "")

    async def edit(self, reference: str, text: str) -> bool:
        """404, or 410 for one that was deleted."""
        pull, _, comment = reference.partition("/")
        answer = await self._api.call("PUT", f"{self._comments(pull)}/{comment}", self._body(text), also=(404, 410))
        return answer.status not in (404, 410)

    async def create(self, pull: str, text: str) -> str:
        return f"{pull}/{read(await self._api.call('POST', self._comments(pull), self._body(text)), _Comment).id}"

    def _comments(self, pull: str) -> str:
        return f"{self._repository}/pullrequests/{pull}/comments"

    def _body(self, text: str) -> dict[str, dict[str, str]]:
        return {"content": {"raw": self.marked(text)}}
