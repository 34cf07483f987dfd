"""Git hosts as far as their documentation says how they answer, each with the limits that bite."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from shared.domain.commit_reports import Saying
from shared.domain.commits import Commit

Json = dict[str, Any]
REVISION = "1f" * 20
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
#: Serves an application until the test is over, and tells where.
Serve = Callable[[web.Application], Awaitable[str]]


def a_commit(url: str, **fields: Any) -> Commit:
    values: Json = {"revision": REVISION, "ref": "refs/heads/main", "link": "https://sluice.example/api/rollouts/r1", "key": "key-1"}
    return Commit(url=url, **values | {"since": NOW} | fields)


def a_saying(state: str = "running", text: str = "10 % of 10 clusters", **fields: Any) -> Saying:
    values: Json = {"kind": "status", "context": "sluice/platform/canary", "environment": "platform/canary"}
    return Saying(**values | {"state": state, "text": text} | fields)


@dataclass(frozen=True)
class Call:
    method: str
    path: str  #: with its query, as it was sent
    headers: Json
    body: Any


@dataclass
class Host:
    """Keeps what it was asked. `answers` come first, one by one; then `respond` says what is documented."""

    respond: Callable[[Call], web.Response]
    calls: list[Call] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.Response:
        text = await request.text()
        self.calls.append(Call(request.method, request.raw_path, dict(request.headers), json.loads(text) if text else None))
        return self.answers.pop(0) if self.answers else self.respond(self.calls[-1])

    @property
    def last(self) -> Call:
        return self.calls[-1]

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(call.method, call.path) for call in self.calls]


class GitLabProject:
    """Statuses and deployments as GitLab's state machines take them, one merged merge request, and its notes."""

    #: What may follow: a job that has ended is followed by a new one.
    _NEXT = {"": {"pending", "running"}, "pending": {"running"}, "running": set[str]()}
    _ENDS = frozenset({"success", "failed", "canceled"})

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.notes: dict[int, str] = {}
        self.deployments: list[Json] = []
        self.merge_requests: list[Json] = [{"iid": 3, "state": "opened"}, {"iid": 7, "state": "merged", "merge_commit_sha": REVISION}]

    def respond(self, call: Call) -> web.Response:
        if call.headers.get("PRIVATE-TOKEN") != "a-token":
            return web.json_response({"message": "401 Unauthorized"}, status=401)
        path = call.path.partition("?")[0].removeprefix("/api/v4/projects/contoso%2Fedge%2Fplatform/")
        if path == f"statuses/{REVISION}":
            return self._set_status(call.body)
        if path == f"repository/commits/{REVISION}/merge_requests":
            return web.json_response(self.merge_requests)
        if path.startswith("deployments"):
            return self._deploy(call, path.removeprefix("deployments").removeprefix("/"))
        if path.startswith("merge_requests/7/notes"):
            return self._note(call, path.removeprefix("merge_requests/7/notes").removeprefix("/"))
        return web.json_response({"message": "404 Not Found"}, status=404)

    def _set_status(self, body: Json) -> web.Response:
        name, state = body["name"], body["state"]
        before = self.states.get(name, "")
        if state not in self._ENDS and state not in self._NEXT["" if before in self._ENDS else before]:
            event = {"pending": "enqueue", "running": "run"}[state]
            message = f'Cannot transition status via :{event} from :{before} (Reason(s): Status cannot transition via "{event}")'
            return web.json_response({"message": message}, status=400)
        self.states[name] = state
        return web.json_response({"id": 1, "status": state}, status=201)

    def _deploy(self, call: Call, number: str) -> web.Response:
        if call.method == "GET":
            (environment,) = parse_qs(urlsplit(call.path).query)["environment"]
            return web.json_response([one for one in self.deployments[::-1] if one["environment"] == environment][:1])
        if call.method == "POST":
            self.deployments.append({"id": len(self.deployments) + 1, **call.body})
            return web.json_response(self.deployments[-1], status=201)
        if int(number) > len(self.deployments):
            return web.json_response({"message": "404 Not Found"}, status=404)
        deployment, status = self.deployments[int(number) - 1], call.body["status"]
        if status == deployment["status"] or (status in ("created", "running") and deployment["status"] != "created"):
            return web.json_response({"message": "Status cannot transition"}, status=400)
        deployment["status"] = status
        return web.json_response(deployment)

    def _note(self, call: Call, number: str) -> web.Response:
        if call.method == "GET":
            return web.json_response([{"id": key, "body": body} for key, body in sorted(self.notes.items(), reverse=True)])
        if call.method == "PUT" and int(number) not in self.notes:
            return web.json_response({"message": "404 Not found"}, status=404)
        key = int(number) if number else len(self.notes) + 1
        self.notes[key] = call.body["body"]
        return web.json_response({"id": key, "body": self.notes[key]}, status=200 if number else 201)


class GiteaRepository:
    """Statuses, the pull request of a commit, and comments on it."""

    def __init__(self) -> None:
        self.states: list[Json] = []
        self.comments: dict[int, str] = {}
        self.pull: Json | None = {"number": 5, "merged": True}

    def respond(self, call: Call) -> web.Response:
        if call.headers.get("Authorization") != "token a-token":
            return web.json_response({"message": "token is required"}, status=401)
        path = call.path.partition("?")[0].removeprefix("/api/v1/repos/contoso/platform/")
        if path == f"statuses/{REVISION}":
            self.states.append(call.body)
            return web.json_response(call.body, status=201)
        if path == f"commits/{REVISION}/pull":
            return web.json_response(self.pull) if self.pull else web.json_response({"message": "not found"}, status=404)
        if path == "issues/5/comments" and call.method == "GET":
            return web.json_response([{"id": key, "body": body} for key, body in self.comments.items()])
        if path == "issues/5/comments":
            key = len(self.comments) + 1
            self.comments[key] = call.body["body"]
            return web.json_response({"id": key}, status=201)
        if call.method == "PATCH" and int(path.rpartition("/")[2]) in self.comments:
            self.comments[int(path.rpartition("/")[2])] = call.body["body"]
            return web.json_response({"id": 1})
        return web.json_response({"message": "not found"}, status=404)


@dataclass
class PullRequest:
    """Number 7, which brought the commit, and its comments."""

    is_merged: bool = True
    comments: dict[int, Json] = field(default_factory=dict)
    made: int = 0

    @property
    def texts(self) -> list[str]:
        return [comment["text"] for comment in self.comments.values()]

    def delete(self, number: int) -> None:
        del self.comments[number]

    def keep(self, text: str, number: int = 0, **also: Any) -> Json:
        self.made += not number
        key = number or self.made
        self.comments[key] = {**self.comments.get(key, {}), "id": key, "text": text, **also}
        return self.comments[key]


class BitbucketRepository(PullRequest):
    """developer.atlassian.com, Bitbucket Cloud REST API, pullrequests."""

    def respond(self, call: Call) -> web.Response:
        path = call.path.partition("?")[0].removeprefix("/2.0/repositories/contoso/platform")
        if path == f"/commit/{REVISION}/pullrequests":
            state = "MERGED" if self.is_merged else "OPEN"
            pulls = [{"id": 3, "state": "OPEN"}, {"id": 7, "state": state, "merge_commit": {"hash": REVISION[:12]}}]
            return web.json_response({"values": pulls})
        number = path.removeprefix("/pullrequests/7/comments").removeprefix("/")
        if call.method == "GET":
            return web.json_response({"values": [self._shown(one) for one in reversed(self.comments.values())]})
        if call.method == "PUT" and int(number) not in self.comments:
            return web.json_response({"type": "error"}, status=404)
        kept = self.keep(call.body["content"]["raw"], int(number or 0))
        return web.json_response(self._shown(kept), status=200 if number else 201)

    def _shown(self, comment: Json) -> Json:
        return {"id": comment["id"], "content": {"raw": comment["text"], "markup": "markdown"}, "deleted": False}


class DataCenterRepository(PullRequest):
    """developer.atlassian.com/server/bitbucket, REST API: an edit of another version than the newest is a conflict."""

    is_racing = False

    def respond(self, call: Call) -> web.Response:
        if call.headers.get("X-Atlassian-Token") != "no-check":
            return web.json_response({"errors": [{"message": "XSRF check failed"}]}, status=403)
        path = call.path.partition("?")[0].removeprefix("/rest/api/latest/projects/edge/repos/platform")
        if path == f"/commits/{REVISION}/pull-requests":
            return web.json_response({"values": [{"id": 7, "state": "MERGED" if self.is_merged else "OPEN"}]})
        if path == "/pull-requests/7/activities":
            told = [{"action": "COMMENTED", "comment": one} for one in reversed(self.comments.values())]
            return web.json_response({"values": [{"action": "MERGED"}, *told]})
        return self._comment(call, path.removeprefix("/pull-requests/7/comments").removeprefix("/"))

    def _comment(self, call: Call, number: str) -> web.Response:
        if not number:
            return web.json_response(self.keep(call.body["text"], version=0), status=201)
        comment = self.comments.get(int(number))
        if comment is None:
            return web.json_response({"errors": [{"message": "no such comment"}]}, status=404)
        if call.method == "GET":
            shown = dict(comment)
            comment["version"] += self.is_racing
            return web.json_response(shown)
        if call.body["version"] != comment["version"]:
            return web.json_response({"errors": [{"message": "out of date"}]}, status=409)
        return web.json_response(self.keep(call.body["text"], int(number), version=comment["version"] + 1))


class DevOpsRepository(PullRequest):
    """learn.microsoft.com, Azure DevOps REST API, Pull Request Query and Pull Request Threads."""

    def respond(self, call: Call) -> web.Response:
        assert call.path.endswith("api-version=7.1")
        path = call.path.partition("?")[0].removeprefix("/contoso/edge/_apis/git/repositories/platform")
        if path == "/pullrequestquery":
            pulls = [{"pullRequestId": 3, "status": "active"}, {"pullRequestId": 7, "status": "completed" if self.is_merged else "active"}]
            return web.json_response({"queries": call.body["queries"], "results": [{}, {REVISION: pulls}]})
        number = path.removeprefix("/pullRequests/7/threads").removeprefix("/").removesuffix("/comments/1")
        if call.method == "GET":
            system = {"id": 99, "comments": [{"id": 1, "content": "Policy status has been updated", "commentType": "system"}]}
            threads = [{"id": key, "comments": [{"id": 1, "content": one["text"]}]} for key, one in self.comments.items()]
            return web.json_response({"value": [{"id": 98}, system, *threads]})
        if call.method == "POST":
            return web.json_response(self.keep(call.body["comments"][0]["content"]))
        if int(number) not in self.comments:
            return web.json_response({"message": "no such thread"}, status=404)
        return web.json_response({"id": 1, "content": self.keep(call.body["content"], int(number))["text"]})


def bitbucket_cloud(call: Call) -> web.Response:
    """A key of more than 40 characters is refused, and an address is needed."""
    body = call.body or {}
    if len(body.get("key", "")) > 40 or not body.get("url"):
        return web.json_response({"type": "error", "error": {"message": "Bad request"}}, status=400)
    return web.json_response(body, status=201)


def bitbucket_data_center(call: Call) -> web.Response:
    if call.headers.get("X-Atlassian-Token") != "no-check":
        return web.json_response({"errors": [{"message": "XSRF check failed"}]}, status=403)
    return web.Response(status=204)


def azure_devops(call: Call) -> web.Response:
    """Whoever it does not know is shown the page to sign in."""
    if call.headers.get("Authorization") not in ("Basic OmEtdG9rZW4=", "Bearer an-entra-token"):
        return web.Response(status=203, text="<html>Sign In</html>", content_type="text/html")
    return web.json_response(call.body | {"id": 1}, status=201)
