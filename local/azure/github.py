"""GitHub's REST API as far as commits are told something: statuses, deployments, and comments on pull requests.

https://docs.github.com/rest/commits/statuses, /rest/deployments/deployments, /rest/deployments/statuses, /rest/issues/comments
"""

import itertools
import json
import re
from collections import defaultdict
from typing import Any

from aiohttp import web

from local.azure.clock import utc_text
from local.azure.journal import Journal

CHANNEL = "github"
PREFIX = "/github/api/v3"
MAX_STATUSES = 1000
MAX_DEPLOYMENT_STATUSES = 100
MAX_DESCRIPTION = 140
STATES = frozenset({"error", "failure", "pending", "success"})
DEPLOYMENT_STATES = frozenset({"error", "failure", "inactive", "in_progress", "queued", "pending", "success"})
_SHA = re.compile(r"[0-9a-f]{40}")
_TOKEN = re.compile(r"(Bearer|token) (ghp_|ghs_|github_pat_)[A-Za-z0-9_]+")


class RefusalError(Exception):
    """GitHub's answer to what it does not take."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GitHub:
    """Every repository exists. Pull requests are made by `merge`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._ids = itertools.count(1)
        self._statuses: dict[tuple[str, str], int] = defaultdict(int)  #: by commit and context, without regard to case
        self._deployments: dict[int, dict[str, Any]] = {}
        self._merged: dict[str, int] = {}
        self._comments: dict[int, dict[str, Any]] = {}

    def routes(self) -> list[web.RouteDef]:
        repository = PREFIX + "/repos/{owner}/{name}"
        return [
            web.post(repository + "/statuses/{sha}", self._answer(self._set_status)),
            web.get(repository + "/deployments", self._answer(self._list_deployments)),
            web.post(repository + "/deployments", self._answer(self._deploy)),
            web.post(repository + "/deployments/{id}/statuses", self._answer(self._set_deployment_status)),
            web.get(repository + "/commits/{sha}/pulls", self._answer(self._list_pulls)),
            web.get(repository + "/issues/{number}/comments", self._answer(self._list_comments)),
            web.post(repository + "/issues/{number}/comments", self._answer(self._comment)),
            web.patch(repository + "/issues/comments/{id}", self._answer(self._edit_comment)),
            web.post("/_sim/github/merges", self.merge),
        ]

    async def merge(self, request: web.Request) -> web.Response:
        """A control: the commit came with a pull request of this number."""
        told = await request.json()
        self._merged[told["commit"]] = told["number"]
        return web.json_response({}, status=201)

    def _answer(self, act: Any) -> Any:
        async def handle(request: web.Request) -> web.Response:
            try:
                _check_caller(request)
                status, answer = act(request, await _body(request))
            except RefusalError as refusal:
                return web.json_response({"message": str(refusal)}, status=refusal.status)
            return web.json_response(answer, status=status)

        return handle

    def _set_status(self, request: web.Request, body: dict[str, Any]) -> tuple[int, Any]:
        sha, context = request.match_info["sha"], str(body.get("context") or "default")
        _check_sha(sha)
        _check_state(body, STATES)
        if self._statuses[sha, context.lower()] >= MAX_STATUSES:
            raise RefusalError(422, f"This SHA and context has reached the maximum number of statuses ({MAX_STATUSES}).")
        self._statuses[sha, context.lower()] += 1
        self._keep("status", sha=sha, body=body)
        return 201, {"id": next(self._ids), "state": body["state"], "context": context, "created_at": utc_text()}

    def _list_deployments(self, request: web.Request, body: dict[str, Any]) -> tuple[int, Any]:
        wanted = {name: request.query[name] for name in ("sha", "environment", "task") if name in request.query}
        found = [one for one in self._deployments.values() if all(one[name] == value for name, value in wanted.items())]
        return 200, found[::-1][: int(request.query.get("per_page", 30))]

    def _deploy(self, request: web.Request, body: dict[str, Any]) -> tuple[int, Any]:
        _check_sha(str(body.get("ref") or ""))
        if body.get("required_contexts") != [] or body.get("auto_merge") is not False:
            raise RefusalError(409, "Conflict: Commit status checks failed for the ref")
        number = next(self._ids)
        made = {"id": number, "sha": body["ref"], "environment": body.get("environment", "production"), "task": body.get("task", "deploy")}
        self._deployments[number] = made | {"statuses": 0}
        self._keep("deployment", id=number, body=body)
        return 201, made

    def _set_deployment_status(self, request: web.Request, body: dict[str, Any]) -> tuple[int, Any]:
        deployment = self._deployments.get(_number(request.match_info["id"]))
        if deployment is None:
            raise RefusalError(404, "Not Found")
        _check_state(body, DEPLOYMENT_STATES)
        if deployment["statuses"] >= MAX_DEPLOYMENT_STATUSES:
            raise RefusalError(422, "Validation Failed")
        deployment["statuses"] += 1
        self._keep("deployment-status", id=deployment["id"], environment=deployment["environment"], body=body)
        return 201, {"id": next(self._ids), "state": body["state"]}

    def _list_pulls(self, request: web.Request, body: dict[str, Any]) -> tuple[int, Any]:
        sha = request.match_info["sha"]
        number = self._merged.get(sha)
        open_one = {"number": 9999, "merged_at": None, "merge_commit_sha": sha}
        return 200, [open_one, {"number": number, "merged_at": utc_text(), "merge_commit_sha": sha}] if number else [open_one]

    def _list_comments(self, request: web.Request, body: dict[str, Any]) -> tuple[int, Any]:
        number = _number(request.match_info["number"])
        since = request.query.get("since", "")
        return 200, [one for one in self._comments.values() if one["issue"] == number and one["updated_at"] >= since]

    def _comment(self, request: web.Request, body: dict[str, Any]) -> tuple[int, Any]:
        identifier = next(self._ids)
        issue = _number(request.match_info["number"])
        self._comments[identifier] = {"id": identifier, "issue": issue, "body": body.get("body"), "updated_at": utc_text()}
        self._keep("comment", id=identifier, pull=issue, body=body)
        return 201, self._comments[identifier]

    def _edit_comment(self, request: web.Request, body: dict[str, Any]) -> tuple[int, Any]:
        comment = self._comments.get(_number(request.match_info["id"]))
        if comment is None:
            raise RefusalError(404, "Not Found")
        comment |= {"body": body.get("body"), "updated_at": utc_text()}
        self._keep("comment", id=comment["id"], pull=comment["issue"], body=body)
        return 200, comment

    def _keep(self, kind: str, **told: Any) -> None:
        self._journal.keep(CHANNEL, kind=kind, **told)


def _check_caller(request: web.Request) -> None:
    if not _TOKEN.fullmatch(request.headers.get("Authorization", "")):
        raise RefusalError(401, "Bad credentials")
    if not request.headers.get("User-Agent"):
        raise RefusalError(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")


def _check_sha(sha: str) -> None:
    if not _SHA.fullmatch(sha):
        raise RefusalError(422, f"No commit found for SHA: {sha}")


def _check_state(body: dict[str, Any], states: frozenset[str]) -> None:
    if body.get("state") not in states or len(str(body.get("description") or "")) > MAX_DESCRIPTION:
        raise RefusalError(422, "Validation Failed")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or "{}")
    except ValueError as error:
        raise RefusalError(400, "Problems parsing JSON") from error
    if not isinstance(body, dict):
        raise RefusalError(400, "Body should be a JSON object")
    return body
