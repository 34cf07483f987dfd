"""GitLab's events that tell how a pipeline or a job on a commit goes (docs.gitlab.com, user/project/integrations/webhook_events)."""

from datetime import datetime

import msgspec

from shared.domain.checks import CheckResult
from shared.domain.gates import CheckState
from shared.receivers.check_results import Told, results_of
from shared.receivers.payloads import decode, time_of
from shared.receivers.pushes import Sha

PIPELINE, JOB = "Pipeline Hook", "Job Hook"
EVENTS = (PIPELINE, JOB)

#: "skipped" is no success: nothing was looked at, as where the commit's message says [skip ci].
_STATES: dict[str, CheckState] = {
    "success": "success",
    "failed": "failure",
    "canceled": "failure",
    "skipped": "failure",
    "created": "pending",
    "waiting_for_resource": "pending",
    "waiting_for_callback": "pending",
    "preparing": "pending",
    "pending": "pending",
    "running": "pending",
    "canceling": "pending",
    "manual": "pending",
    "scheduled": "pending",
}


class _Project(msgspec.Struct):
    git_http_url: str


class _Pipeline(msgspec.Struct):
    sha: Sha
    status: str
    source: str = "push"
    created_at: str | None = None
    finished_at: str | None = None
    url: str | None = None


class _PipelineEvent(msgspec.Struct):
    object_attributes: _Pipeline
    project: _Project


class _Repository(msgspec.Struct):
    git_http_url: str
    homepage: str = ""


class _JobEvent(msgspec.Struct):
    sha: Sha
    build_id: int
    build_name: str
    build_status: str
    repository: _Repository
    build_created_at: str | None = None
    build_started_at: str | None = None
    build_finished_at: str | None = None


_PIPELINE = msgspec.json.Decoder(_PipelineEvent)
_JOB = msgspec.json.Decoder(_JobEvent)


def read(event: str, payload: bytes, received_at: datetime) -> tuple[CheckResult, ...]:
    """The result in a payload; none where the event tells of no check. Raises Refused 400."""
    if event == PIPELINE:
        return results_of([_pipeline(decode(_PIPELINE, payload))], received_at)
    if event == JOB:
        return results_of([_job(decode(_JOB, payload))], received_at)
    return ()


def _pipeline(event: _PipelineEvent) -> Told:
    """Named `pipeline`, and after its source where that is no push: a scheduled or a child pipeline on the same commit is another check."""
    pipeline = event.object_attributes
    name = "pipeline" if pipeline.source == "push" else f"pipeline/{pipeline.source}"
    at = _time(pipeline.finished_at or pipeline.created_at)
    return Told(event.project.git_http_url, pipeline.sha, name, _STATES.get(pipeline.status), at, pipeline.url)


def _job(job: _JobEvent) -> Told:
    at = _time(job.build_finished_at or job.build_started_at or job.build_created_at)
    link = f"{job.repository.homepage}/-/jobs/{job.build_id}"
    return Told(job.repository.git_http_url, job.sha, job.build_name, _STATES.get(job.build_status), at, link)


def _time(told: str | None) -> datetime | None:
    """Also as GitLab writes it here: 2026-11-23 12:00:00 UTC."""
    return time_of(told.removesuffix(" UTC")) if told else None
