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
_LOOKED_THROUGH = 50  #: the newest notes, of which one may be ours


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
                return await self._write_note(project, commit, saying.text, reference)

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

    async def _write_note(self, project: str, commit: Commit, text: str, reference: str) -> str:
        """References are MERGE_REQUEST/NOTE."""
        marker = f"<!-- sluice {commit.key} -->"
        body = {"body": f"{text}\n\n{marker}"}
        if reference and await self._edit(project, reference, body):
            return reference
        number = await self._merge_request(project, commit)
        if not number:
            return ""
        found = await self._find(project, number, marker)
        if found and await self._edit(project, found, body):
            return found
        note = read(await self._api.call("POST", f"{project}/merge_requests/{number}/notes", body), _Note)
        return f"{number}/{note.id}"

    async def _edit(self, project: str, reference: str, body: object) -> bool:
        number, _, note = reference.partition("/")
        answer = await self._api.call("PUT", f"{project}/merge_requests/{number}/notes/{note}", body, also=(404,))
        return answer.status != 404

    async def _merge_request(self, project: str, commit: Commit) -> str:
        found = await self._api.get(f"{project}/repository/commits/{commit.revision}/merge_requests", list[_MergeRequest])
        merged = [request for request in found if request.state == "merged"]
        merged.sort(key=lambda request: commit.revision not in (request.merge_commit_sha, request.squash_commit_sha))
        return str(merged[0].iid) if merged else ""

    async def _find(self, project: str, number: str, marker: str) -> str:
        query = urlencode({"order_by": "created_at", "sort": "desc", "per_page": _LOOKED_THROUGH})
        notes = await self._api.get(f"{project}/merge_requests/{number}/notes?{query}", list[_Note])
        return next((f"{number}/{note.id}" for note in notes if marker in note.body), "")


def _is_a_transition(answer: Answer) -> bool:
    return b"Cannot transition status" in answer.body
