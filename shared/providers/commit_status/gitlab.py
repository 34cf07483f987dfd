"""GitLab: commit statuses, deployments, and a note on the merged merge request.

The sources are docs.gitlab.com, API: commits (set the pipeline status of a commit; merge requests of a commit), deployments, notes.
"""

from urllib.parse import urlencode

import msgspec

from shared.domain.commit_reports import Saying
from shared.domain.commit_status import State
from shared.domain.commits import Commit
from shared.domain.errors import Rejected, Unavailable
from shared.providers.commit_status.api import Authorize, GitApi, not_a_repository, quoted, read, repository_path
from shared.providers.commit_status.comments import LOOKED_THROUGH, Comments
from shared.providers.http import Answer, OutboundHttp

_PUBLIC = "https://gitlab.com/api/v4"
_STATES: dict[State, str] = {
    "pending": "pending",
    "running": "running",
    "succeeded": "success",
    "failed": "failed",
    "cancelled": "canceled",
}
_DEPLOYMENT_STATES: dict[State, str] = _STATES | {"pending": "created"}


class _MergeRequest(msgspec.Struct):
    iid: int
    state: str = ""
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None


class _Deployment(msgspec.Struct):
    id: int
    sha: str = ""


class _Note(msgspec.Struct):
    id: int
    body: str = ""


class GitLab:
    """Implements ports.GitHost. `address` is that of the API: https://HOST/api/v4."""

    def __init__(self, http: OutboundHttp, address: str, authorize: Authorize) -> None:
        self._api = GitApi(http, address or _PUBLIC, authorize)

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        path = repository_path(commit.url, self._api.base, prefix="/api/v4")
        if len(path) < 2:
            raise not_a_repository()
        project = f"/projects/{quoted('/'.join(path))}"
        match saying.kind:
            case "status":
                return await self._set_status(project, commit, saying)
            case "deployment":
                return await self._set_deployment(project, commit, saying, reference)
            case "comment":
                return await _Notes(self._api, project, commit).write(reference, saying.text)

    async def _set_status(self, project: str, commit: Commit, saying: Saying) -> str:
        """GitLab refuses a state that it has already, and one that it thinks cannot come next (400, "Cannot transition status"): there
        is nothing to be done, and the next state will do. 409: someone else is changing the same pipeline.
        """
        status = {
            "state": _STATES[saying.state],
            "name": saying.context,
            "target_url": commit.link,
            "description": saying.text,
            **({"ref": commit.branch} if commit.branch else {}),
        }
        answer = await self._api.call("POST", f"{project}/statuses/{commit.revision}", status, also=(400, 409))
        if answer.status == 409:
            raise Unavailable("GitLab is busy with the same commit", code="409")
        if answer.status == 400 and not _is_a_transition(answer):
            raise Rejected("answered 400", code="400")
        return ""

    async def _set_deployment(self, project: str, commit: Commit, saying: Saying, reference: str) -> str:
        """A deployment that has ended does not run again (400): another one does. One that an attempt made before it died is found
        again, by environment and commit.
        """
        deployments, state = f"{project}/deployments", {"status": _DEPLOYMENT_STATES[saying.state]}
        number = reference or await self._find_deployment(deployments, commit, saying)
        if number:
            answer = await self._api.call("PUT", f"{deployments}/{number}", state, also=(400, 404))
            if answer.status not in (400, 404):
                return number
        deployment = {
            "environment": saying.environment,
            "sha": commit.revision,
            "ref": commit.tag or commit.branch or commit.ref,
            "tag": commit.tag is not None,
        }
        return str(read(await self._api.call("POST", deployments, deployment | state), _Deployment).id)

    async def _find_deployment(self, deployments: str, commit: Commit, saying: Saying) -> str:
        query = urlencode({"environment": saying.environment, "order_by": "id", "sort": "desc", "per_page": 1})
        newest = await self._api.get(f"{deployments}?{query}", list[_Deployment])
        return str(newest[0].id) if newest and newest[0].sha == commit.revision else ""


class _Notes(Comments):
    """References are MERGE_REQUEST/NOTE."""

    def __init__(self, api: GitApi, project: str, commit: Commit) -> None:
        self._api = api
        self._project = project
        self._revision = commit.revision
        self.marker = f"<!-- sluice {commit.key} -->"

    async def pull(self) -> str:
        found = await self._api.get(f"{self._project}/repository/commits/{self._revision}/merge_requests", list[_MergeRequest])
        merged = [request for request in found if request.state == "merged"]
        merged.sort(key=lambda request: self._revision not in (request.merge_commit_sha, request.squash_commit_sha))
        return str(merged[0].iid) if merged else ""

    async def find(self, pull: str) -> str:
        query = urlencode({"order_by": "created_at", "sort": "desc", "per_page": LOOKED_THROUGH})
        notes = await self._api.get(f"{self._notes(pull)}?{query}", list[_Note])
        return next((f"{pull}/{note.id}" for note in notes if self.is_ours(note.body)), "")

    async def edit(self, reference: str, text: str) -> bool:
        pull, _, note = reference.partition("/")
        answer = await self._api.call("PUT", f"{self._notes(pull)}/{note}", self._body(text), also=(404,))
        return answer.status != 404

    async def create(self, pull: str, text: str) -> str:
        return f"{pull}/{read(await self._api.call('POST', self._notes(pull), self._body(text)), _Note).id}"

    def _notes(self, pull: str) -> str:
        return f"{self._project}/merge_requests/{pull}/notes"

    def _body(self, text: str) -> dict[str, str]:
        return {"body": self.marked(text)}


def _is_a_transition(answer: Answer) -> bool:
    return b"Cannot transition status" in answer.body
