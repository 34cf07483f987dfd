"""Bitbucket Data Center: builds of a commit, and a comment on the merged pull request.

The source is developer.atlassian.com/server/bitbucket, REST API: builds and deployments, pull requests, repository.
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

#: Without it a POST that could have come from a form is refused (confluence.atlassian.com, XSRF check failed).
_HEADERS = {"X-Atlassian-Token": "no-check"}
_STATES: dict[State, str] = {
    "pending": "INPROGRESS",
    "running": "INPROGRESS",
    "succeeded": "SUCCESSFUL",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}


class _Pull(msgspec.Struct):
    id: int
    state: str = ""


class _Pulls(msgspec.Struct):
    values: list[_Pull] = []


class _Comment(msgspec.Struct):
    id: int
    text: str = ""
    version: int = 0


class _Activity(msgspec.Struct):
    action: str = ""
    comment: _Comment | None = None


class _Activities(msgspec.Struct):
    values: list[_Activity] = []


class BitbucketDataCenter:
    """Implements ports.GitHost. `address` is that of the server."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address, authorize, headers=_HEADERS)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        """Over https repositories are below /scm, over ssh they are not."""
        path = repository_path(commit.url, self._api.base)
        project, slug = two_parts(path[1:] if path[:1] == ["scm"] and len(path) == 3 else path)
        repository = f"/rest/api/latest/projects/{project}/repos/{slug}"
        match saying.kind:
            case "status":
                return await self._set_build(repository, commit, saying)
            case "comment":
                return await _PullRequestComments(self._api, repository, commit).write(reference, saying.text)
            case _:
                raise no_such_kind(saying.kind)

    async def _set_build(self, repository: str, commit: Commit, saying: Saying) -> str:
        """A build of the same key is overwritten."""
        build = {
            "key": digest(saying.context),
            "name": saying.context,
            "state": _STATES[saying.state],
            "url": commit.link,
            "description": saying.text,
            **({"ref": commit.ref} if commit.branch else {}),
        }
        await self._api.call("POST", f"{repository}/commits/{commit.revision}/builds", build)
        return ""


class _PullRequestComments(Comments):
    """References are PULL_REQUEST/COMMENT. An edit names the version that it replaces."""

    def __init__(self, api: GitApi, repository: str, commit: Commit) -> None:
        self._api = api
        self._repository = repository
        self._revision = commit.revision
        self.marker = unseen(commit.key)

    async def pull(self) -> str:
        found = await self._api.get(f"{self._repository}/commits/{self._revision}/pull-requests?limit=25", _Pulls)
        return next((str(pull.id) for pull in found.values if pull.state == "MERGED"), "")

    async def find(self, pull: str) -> str:
        """What happened on a pull request, newest first."""
        query = urlencode({"limit": LOOKED_THROUGH})
        activities = await self._api.get(f"{self._repository}/pull-requests/{pull}/activities?{query}", _Activities)
        comments = (activity.comment for activity in activities.values if activity.comment)
        return next((f"{pull}/{comment.id}" for comment in comments if self.is_ours(comment.text)), "")

    async def edit(self, reference: str, text: str) -> bool:
        """409: somebody has edited it since its version was read."""
        pull, _, number = reference.partition("/")
        address = f"{self._comments(pull)}/{number}"
        answer = await self._api.call("GET", address, also=(404,))
        if answer.status == 404:
            return False
        body = {"text": self.marked(text), "version": read(answer, _Comment).version}
        answer = await self._api.call("PUT", address, body, also=(404, 409))
        if answer.status == 409:
            raise Unavailable("the comment was edited at the same time", code="409")
        return answer.status != 404

    async def create(self, pull: str, text: str) -> str:
        answer = await self._api.call("POST", self._comments(pull), {"text": self.marked(text)})
        return f"{pull}/{read(answer, _Comment).id}"

    def _comments(self, pull: str) -> str:
        return f"{self._repository}/pull-requests/{pull}/comments"
