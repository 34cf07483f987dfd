"""Gitea's and Forgejo's events that tell how a check on a commit ended.

Gitea has `status` and `workflow_run` (docs.gitea.com/usage/webhooks, go-gitea/gitea modules/structs/hook.go), Forgejo `action_run_...`
(forgejo.org/docs/latest/user/webhooks, ActionPayload).
"""

from datetime import datetime
from typing import Protocol

import msgspec

from shared.domain.checks import CheckResult
from shared.domain.gates import CheckState
from shared.receivers.check_results import Told, results_of
from shared.receivers.payloads import decode
from shared.receivers.pushes import Sha

#: The states of a status, and the conclusions of a run. What is skipped lets a pull request through, as at GitHub.
_STATES: dict[str, CheckState] = {
    "success": "success",
    "skipped": "success",
    "failure": "failure",
    "error": "failure",
    "warning": "failure",
    "cancelled": "failure",
    "pending": "pending",
}
_FIRST_YEAR = 1970  #: Go's zero time, the year 1, stands for none


class _Repository(msgspec.Struct):
    clone_url: str


class _Status(msgspec.Struct):
    sha: Sha
    context: str
    state: str
    repository: _Repository
    target_url: str | None = None
    updated_at: datetime | None = None
    created_at: datetime | None = None

    def told(self) -> Told:
        at = _set(self.updated_at) or _set(self.created_at)
        return Told(self.repository.clone_url, self.sha, self.context, _STATES.get(self.state), at, self.target_url)


class _Run(msgspec.Struct):
    head_sha: Sha
    conclusion: str = ""
    html_url: str = ""
    completed_at: datetime | None = None


class _Workflow(msgspec.Struct):
    name: str = ""


class _WorkflowRun(msgspec.Struct):
    action: str
    workflow_run: _Run
    workflow: _Workflow
    repository: _Repository

    def told(self) -> Told:
        run = self.workflow_run
        state = _STATES.get(run.conclusion) if self.action == "completed" else None
        return Told(self.repository.clone_url, run.head_sha, self.workflow.name, state, _set(run.completed_at), run.html_url)


class _ActionRun(msgspec.Struct):
    repository: _Repository
    workflow_id: str
    commit_sha: Sha
    status: str
    stopped: datetime | None = None
    html_url: str = ""


class _Action(msgspec.Struct):
    run: _ActionRun

    def told(self) -> Told:
        """Named after the workflow's file: Forgejo tells no other name."""
        run = self.run
        return Told(run.repository.clone_url, run.commit_sha, run.workflow_id, _STATES.get(run.status), _set(run.stopped), run.html_url)


class _Event(Protocol):
    def told(self) -> Told: ...


EVENTS: dict[str, type[_Event]] = {
    "status": _Status,
    "workflow_run": _WorkflowRun,
    "action_run_success": _Action,
    "action_run_failure": _Action,
    "action_run_recover": _Action,
}


def read(event: str, payload: bytes, received_at: datetime) -> tuple[CheckResult, ...]:
    """The result in a payload; none where the event tells of no check, or of one that is not done. Raises Refused 400."""
    return results_of([decode(msgspec.json.Decoder(EVENTS[event]), payload).told()], received_at) if event in EVENTS else ()


def _set(at: datetime | None) -> datetime | None:
    return at if at and at.year >= _FIRST_YEAR else None
