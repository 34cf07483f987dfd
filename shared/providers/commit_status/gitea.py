"""Gitea and Forgejo: commit statuses, and a comment on the merged pull request (docs.gitea.com, API: repository, issue)."""

import msgspec

from shared.domain.commit_reports import Saying
from shared.domain.commit_status import State
from shared.domain.commits import Commit
from shared.providers.commit_status.api import Authorize, GitApi, no_such_kind, read, repository_path, two_parts
from shared.providers.commit_status.comments import IssueComments
from shared.providers.http import OutboundHttp

_STATES: dict[State, str] = {"pending": "pending", "running": "pending", "succeeded": "success", "failed": "failure", "cancelled": "error"}


class _Pull(msgspec.Struct):
    number: int
    merged: bool = False


class Gitea:
    """Implements ports.GitHost. `address` is that of the API: https://HOST/api/v1."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address, authorize)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        owner, name = two_parts(repository_path(commit.url, self._api.base, prefix="/api/v1"))
        repository = f"/repos/{owner}/{name}"
        match saying.kind:
            case "status":
                return await self._set_status(repository, commit, saying)
            case "comment":
                comments = IssueComments(self._api, repository, commit.key, since=commit.since, pull=lambda: self._pull(repository, commit))
                return await comments.write(reference, saying.text)
            case _:
                raise no_such_kind(saying.kind)

    async def _set_status(self, repository: str, commit: Commit, saying: Saying) -> str:
        status = {"state": _STATES[saying.state], "target_url": commit.link, "description": saying.text, "context": saying.context}
        await self._api.call("POST", f"{repository}/statuses/{commit.revision}", status)
        return ""

    async def _pull(self, repository: str, commit: Commit) -> str:
        """404: no pull request brought the commit."""
        answer = await self._api.call("GET", f"{repository}/commits/{commit.revision}/pull", also=(404,))
        if answer.status == 404:
            return ""
        pull = read(answer, _Pull)
        return str(pull.number) if pull.merged else ""
