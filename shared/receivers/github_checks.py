"""GitHub's events that tell how a check on a commit ended (docs.github.com/webhooks/webhook-events-and-payloads)."""

from datetime import datetime
from typing import Protocol

import msgspec

from shared.domain.checks import CheckResult
from shared.domain.gates import CheckState
from shared.receivers.check_results import Told, results_of
from shared.receivers.payloads import decode
from shared.receivers.pushes import Sha

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


class _Repository(msgspec.Struct):
    clone_url: str


class _Status(msgspec.Struct):
    sha: Sha
    context: str
    state: str
    repository: _Repository
    target_url: str | None = None
    updated_at: datetime | None = None

    def told(self) -> Told:
        return Told(self.repository.clone_url, self.sha, self.context, _STATUSES.get(self.state), self.updated_at, self.target_url)


class _Run(msgspec.Struct):
    """Of a check or a workflow."""

    name: str | None
    head_sha: Sha
    conclusion: str | None = None
    completed_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None  #: a check's
    run_started_at: datetime | None = None  #: a workflow's
    html_url: str | None = None

    def ended(self, repository: str) -> Told:
        at = self.completed_at or self.updated_at
        return Told(repository, self.head_sha, self.name or "", _CONCLUSIONS.get(self.conclusion or ""), at, self.html_url)

    def begun(self, repository: str) -> Told:
        """Under way since it was started, or started again. Without that time it could pass for newer than its own end."""
        at = self.started_at or self.run_started_at
        return Told(repository, self.head_sha, self.name or "", "pending" if at else None, at, self.html_url)


class _CheckRun(msgspec.Struct):
    action: str
    check_run: _Run
    repository: _Repository

    def told(self) -> Told:
        run, repository = self.check_run, self.repository.clone_url
        return run.ended(repository) if self.action == "completed" else run.begun(repository)


class _WorkflowRun(msgspec.Struct):
    action: str
    workflow_run: _Run
    repository: _Repository

    def told(self) -> Told:
        run, repository = self.workflow_run, self.repository.clone_url
        return run.ended(repository) if self.action == "completed" else run.begun(repository)


class _App(msgspec.Struct):
    slug: str = ""


class _Suite(msgspec.Struct):
    head_sha: Sha
    conclusion: str | None = None
    updated_at: datetime | None = None
    app: _App | None = None


class _CheckSuite(msgspec.Struct):
    action: str
    check_suite: _Suite
    repository: _Repository

    def told(self) -> Told | None:
        """A suite has no name: that of the app that made it."""
        suite = self.check_suite
        name = suite.app.slug if suite.app else ""
        state = _CONCLUSIONS.get(suite.conclusion or "")
        return Told(self.repository.clone_url, suite.head_sha, name, state, suite.updated_at) if self.action == "completed" else None


class _Deployment(msgspec.Struct):
    sha: Sha
    environment: str


class _DeploymentState(msgspec.Struct):
    state: str
    target_url: str | None = None
    updated_at: datetime | None = None


class _DeploymentStatus(msgspec.Struct):
    deployment_status: _DeploymentState
    deployment: _Deployment
    repository: _Repository

    def told(self) -> Told:
        status, deployment, repository = self.deployment_status, self.deployment, self.repository.clone_url
        state = _DEPLOYMENTS.get(status.state)
        return Told(repository, deployment.sha, deployment.environment, state, status.updated_at, status.target_url)


class _Event(Protocol):
    def told(self) -> Told | None: ...


EVENTS: dict[str, type[_Event]] = {
    "status": _Status,
    "check_run": _CheckRun,
    "check_suite": _CheckSuite,
    "workflow_run": _WorkflowRun,
    "deployment_status": _DeploymentStatus,
}


def read(event: str, payload: bytes, received_at: datetime) -> tuple[CheckResult, ...]:
    """The result in a payload; none where the event tells of no check. Raises Refused 400."""
    if event not in EVENTS:
        return ()
    told = decode(msgspec.json.Decoder(EVENTS[event]), payload).told()
    return results_of([told] if told else [], received_at)
