"""GitHub's events that tell how a check on a commit ended (docs.github.com/webhooks/webhook-events-and-payloads)."""

from datetime import UTC, datetime
from typing import Annotated, NamedTuple, Protocol

import msgspec
from msgspec import Meta

from shared.domain.checks import CheckResult
from shared.domain.gates import CheckState
from shared.domain.sources import source_id

_MAX_NAME = 255
_MAX_URL = 2000

#: What lets a pull request through counts as success, a skipped or neutral check too (docs.github.com, about status checks).
_CONCLUSIONS: dict[str, CheckState] = {
    "success": "success",
    "neutral": "success",
    "skipped": "success",
    "failure": "failure",
    "timed_out": "failure",
    "cancelled": "failure",
    "action_required": "failure",
    "startup_failure": "failure",
    "stale": "pending",
}
_STATUSES: dict[str, CheckState] = {"success": "success", "failure": "failure", "error": "failure", "pending": "pending"}
#: "inactive" is missing: that a deployment gave way to a newer one says nothing of how it ended.
_DEPLOYMENTS: dict[str, CheckState] = {
    **_STATUSES,
    "queued": "pending",
    "in_progress": "pending",
    "waiting": "pending",
}

_Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?\Z")]


class _Told(NamedTuple):
    name: str
    revision: str
    state: CheckState | None  #: None = says nothing of the commit
    at: datetime | None
    url: str | None


class _Repository(msgspec.Struct):
    clone_url: str


class _Status(msgspec.Struct):
    sha: _Sha
    context: str
    state: str
    repository: _Repository
    target_url: str | None = None
    updated_at: datetime | None = None

    def told(self) -> _Told:
        return _Told(self.context, self.sha, _STATUSES.get(self.state), self.updated_at, self.target_url)


class _Run(msgspec.Struct):
    """Of a check or a workflow."""

    name: str | None
    head_sha: _Sha
    conclusion: str | None = None
    completed_at: datetime | None = None
    updated_at: datetime | None = None
    html_url: str | None = None

    def told(self) -> _Told:
        at = self.completed_at or self.updated_at
        return _Told(self.name or "", self.head_sha, _CONCLUSIONS.get(self.conclusion or ""), at, self.html_url)


class _CheckRun(msgspec.Struct):
    action: str
    check_run: _Run
    repository: _Repository

    def told(self) -> _Told | None:
        return self.check_run.told() if self.action == "completed" else None


class _WorkflowRun(msgspec.Struct):
    action: str
    workflow_run: _Run
    repository: _Repository

    def told(self) -> _Told | None:
        return self.workflow_run.told() if self.action == "completed" else None


class _App(msgspec.Struct):
    slug: str = ""


class _Suite(msgspec.Struct):
    head_sha: _Sha
    conclusion: str | None = None
    updated_at: datetime | None = None
    app: _App | None = None


class _CheckSuite(msgspec.Struct):
    action: str
    check_suite: _Suite
    repository: _Repository

    def told(self) -> _Told | None:
        """A suite has no name: that of the app that made it."""
        suite = self.check_suite
        name = suite.app.slug if suite.app else ""
        state = _CONCLUSIONS.get(suite.conclusion or "")
        return _Told(name, suite.head_sha, state, suite.updated_at, None) if self.action == "completed" else None


class _Deployment(msgspec.Struct):
    sha: _Sha
    environment: str


class _DeploymentState(msgspec.Struct):
    state: str
    target_url: str | None = None
    updated_at: datetime | None = None


class _DeploymentStatus(msgspec.Struct):
    deployment_status: _DeploymentState
    deployment: _Deployment
    repository: _Repository

    def told(self) -> _Told:
        status, deployment = self.deployment_status, self.deployment
        return _Told(deployment.environment, deployment.sha, _DEPLOYMENTS.get(status.state), status.updated_at, status.target_url)


class _Event(Protocol):
    repository: _Repository

    def told(self) -> _Told | None: ...


_EVENTS: dict[str, type[_Event]] = {
    "status": _Status,
    "check_run": _CheckRun,
    "check_suite": _CheckSuite,
    "workflow_run": _WorkflowRun,
    "deployment_status": _DeploymentStatus,
}


def read(event: str, payload: bytes, received_at: datetime) -> tuple[CheckResult, ...]:
    """The result in a payload; none where the event tells of no check, or of one that is not done.

    Raises msgspec.DecodeError or Malformed when the payload is not what the event promises.
    """
    if event not in _EVENTS:
        return ()
    body = msgspec.json.decode(payload, type=_EVENTS[event])
    source = source_id(body.repository.clone_url)
    told = body.told()
    if told is None or told.state is None or not 0 < len(told.name) <= _MAX_NAME:
        return ()
    at = _in_utc(told.at) or received_at
    return (CheckResult(source=source, revision=told.revision, name=told.name, state=told.state, at=at, url=_link(told.url)),)


def _in_utc(at: datetime | None) -> datetime | None:
    try:
        return at and (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC))
    except OverflowError:
        return None


def _link(url: str | None) -> str:
    """Only what people may safely click on."""
    return url if url and url.startswith("https://") and len(url) <= _MAX_URL else ""
