"""Bitbucket Data Center: builds of a commit (developer.atlassian.com/server/bitbucket, Updating build status for commits)."""

from shared.domain.commit_reports import Saying
from shared.domain.commit_status import State
from shared.domain.commits import Commit
from shared.domain.record import digest
from shared.providers.commit_status.api import Authorize, GitApi, no_such_kind, repository_path, two_parts
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


class BitbucketDataCenter:
    """Implements ports.GitHost. `address` is that of the server."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address, authorize, headers=_HEADERS)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        """A build of the same key is overwritten. Over https repositories are below /scm, over ssh they are not."""
        if saying.kind != "status":
            raise no_such_kind(saying.kind)
        path = repository_path(commit.url, self._api.base)
        project, slug = two_parts(path[1:] if path[:1] == ["scm"] and len(path) == 3 else path)
        build = {
            "key": digest(saying.context),
            "name": saying.context,
            "state": _STATES[saying.state],
            "url": commit.link,
            "description": saying.text,
            **({"ref": commit.ref} if commit.branch else {}),
        }
        await self._api.call("POST", f"/rest/api/latest/projects/{project}/repos/{slug}/commits/{commit.revision}/builds", build)
        return ""
