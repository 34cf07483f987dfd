"""Bitbucket Cloud: build statuses of a commit (developer.atlassian.com, Bitbucket Cloud REST API, commit statuses)."""

from shared.domain.commit_reports import Saying
from shared.domain.commit_status import State
from shared.domain.commits import Commit
from shared.domain.record import digest
from shared.providers.commit_status.api import Authorize, GitApi, no_such_kind, repository_path, two_parts
from shared.providers.http import OutboundHttp

_PUBLIC = "https://api.bitbucket.org"
_STATES: dict[State, str] = {
    "pending": "INPROGRESS",
    "running": "INPROGRESS",
    "succeeded": "SUCCESSFUL",
    "failed": "FAILED",
    "cancelled": "STOPPED",
}


class BitbucketCloud:
    """Implements ports.GitHost."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address or _PUBLIC, authorize)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        """A status of the same key is overwritten. Keys have 40 characters at most, names may be longer."""
        if saying.kind != "status":
            raise no_such_kind(saying.kind)
        workspace, slug = two_parts(repository_path(commit.url, self._api.base))
        status = {
            "key": digest(saying.context),
            "name": saying.context,
            "state": _STATES[saying.state],
            "url": commit.link,
            "description": saying.text,
            **({"refname": commit.branch} if commit.branch else {}),
        }
        await self._api.call("POST", f"/2.0/repositories/{workspace}/{slug}/commit/{commit.revision}/statuses/build", status)
        return ""
