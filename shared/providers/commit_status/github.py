"""GitHub and GitHub Enterprise: commit statuses, deployments, and a comment on the merged pull request.

The sources are docs.github.com, REST API: commits/statuses, deployments, commits/commits (pull requests of a commit), issues/comments.
"""

from urllib.parse import urlencode

import msgspec

from shared.domain.commit_reports import Saying
from shared.domain.commit_status import State
from shared.domain.commits import Commit
from shared.providers.commit_status.api import Authorize, GitApi, read, repository_path, two_parts
from shared.providers.commit_status.comments import IssueComments
from shared.providers.http import OutboundHttp

_PUBLIC = "https://api.github.com"
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_TASK = "sluice"  #: what tells our deployments from those of others

#: `failure` is for what the clusters said no to: a rollout that was stopped has not failed.
_STATES: dict[State, str] = {"pending": "pending", "running": "pending", "succeeded": "success", "failed": "failure", "cancelled": "error"}
_DEPLOYMENT_STATES: dict[State, str] = {
    "pending": "queued",
    "running": "in_progress",
    "succeeded": "success",
    "failed": "failure",
    "cancelled": "inactive",
}


class _Deployment(msgspec.Struct):
    id: int


class _Pull(msgspec.Struct):
    number: int
    merged_at: str | None = None
    merge_commit_sha: str | None = None


class GitHub:
    """Implements ports.GitHost. `address` is that of the API, for GitHub Enterprise Server https://HOST/api/v3."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address or _PUBLIC, authorize, headers=_HEADERS)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        owner, name = two_parts(repository_path(commit.url, self._api.base, prefix="/api/v3"))
        repository = f"/repos/{owner}/{name}"
        match saying.kind:
            case "status":
                return await self._set_status(repository, commit, saying)
            case "deployment":
                return await self._set_deployment(repository, commit, saying, reference)
            case "comment":
                comments = IssueComments(self._api, repository, commit.key, since=commit.since, pull=lambda: self._pull(repository, commit))
                return await comments.write(reference, saying.text)

    async def _set_status(self, repository: str, commit: Commit, saying: Saying) -> str:
        status = {
            "state": _STATES[saying.state],
            "target_url": commit.link,
            "description": saying.text,
            "context": saying.context,
        }
        await self._api.call("POST", f"{repository}/statuses/{commit.revision}", status)
        return ""

    async def _set_deployment(self, repository: str, commit: Commit, saying: Saying, reference: str) -> str:
        """A deployment that an attempt made before it died is found again, by commit, environment and task."""
        deployments = f"{repository}/deployments"
        number = reference or await self._find_deployment(deployments, commit, saying) or await self._deploy(deployments, commit, saying)
        status = {"state": _DEPLOYMENT_STATES[saying.state], "description": saying.text, "log_url": commit.link}
        await self._api.call("POST", f"{deployments}/{number}/statuses", status)
        return number

    async def _find_deployment(self, deployments: str, commit: Commit, saying: Saying) -> str:
        query = urlencode({"sha": commit.revision, "environment": saying.environment, "task": _TASK, "per_page": 1})
        found = await self._api.get(f"{deployments}?{query}", list[_Deployment])
        return str(found[0].id) if found else ""

    async def _deploy(self, deployments: str, commit: Commit, saying: Saying) -> str:
        """Without the checks and the merge that GitHub adds to a deployment on its own: the rollout is under way."""
        deployment = {
            "ref": commit.revision,
            "task": _TASK,
            "environment": saying.environment,
            "description": saying.text,
            "auto_merge": False,
            "required_contexts": [],
        }
        return str(read(await self._api.call("POST", deployments, deployment), _Deployment).id)

    async def _pull(self, repository: str, commit: Commit) -> str:
        """The number of the pull request that brought the commit; "" where none did."""
        pulls = await self._api.get(f"{repository}/commits/{commit.revision}/pulls?per_page=10", list[_Pull])
        merged = sorted((p for p in pulls if p.merged_at), key=lambda p: p.merge_commit_sha != commit.revision)
        return str(merged[0].number) if merged else ""
