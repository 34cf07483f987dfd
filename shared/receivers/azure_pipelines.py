"""Azure Pipelines' events that tell how a build, a run or a stage goes (learn.microsoft.com/azure/devops/service-hooks/events)."""

from datetime import datetime

import msgspec

from shared.domain.checks import CheckResult
from shared.domain.gates import CheckState
from shared.receivers.check_results import Told, results_of
from shared.receivers.payloads import decode, time_of

BUILD = "build.complete"
RUN = "ms.vss-pipelines.run-state-changed-event"
STAGE = "ms.vss-pipelines.stage-state-changed-event"
EVENTS = (BUILD, RUN, STAGE)

_COMPLETED = "completed"
#: A stage is skipped where one that it depends on has failed, so that is no success.
_RESULTS: dict[str, CheckState] = {
    "succeeded": "success",
    "partiallySucceeded": "failure",
    "failed": "failure",
    "canceled": "failure",
    "rejected": "failure",
    "skipped": "failure",
}
_STATES: dict[str, CheckState] = {
    "notStarted": "pending",
    "waiting": "pending",
    "running": "pending",
    "inProgress": "pending",
    "canceling": "pending",
}


class _Camel(msgspec.Struct, rename="camel"):
    """Base of the parts of a resource."""


class _Link(_Camel):
    href: str = ""


class _Links(_Camel):
    web: _Link = msgspec.field(default_factory=_Link)


class _Pipeline(_Camel):
    name: str


class _Repository(_Camel):
    url: str | None = None


class _Build(_Camel):
    definition: _Pipeline
    status: str = ""
    result: str | None = None
    source_version: str | None = None  #: missing in version 1.0 of the resource
    repository: _Repository | None = None
    links: _Links = msgspec.field(default_factory=_Links, name="_links")

    def told(self) -> Told:
        url, revision = self.repository.url if self.repository else None, self.source_version
        return _told(url, revision, self.definition.name, _state(self.status, self.result), self.links)


class _Self(_Camel):
    version: str | None = None


class _Repositories(_Camel):
    own: _Self = msgspec.field(default_factory=_Self, name="self")


class _Resources(_Camel):
    repositories: _Repositories = msgspec.field(default_factory=_Repositories)


class _Step(_Camel):
    """A run, or a stage of it."""

    state: str
    name: str = ""
    result: str | None = None
    resources: _Resources = msgspec.field(default_factory=_Resources)  #: as the REST API of pipelines has them, where they are told
    links: _Links = msgspec.field(default_factory=_Links, name="_links")


class _Run(_Camel):
    run: _Step
    pipeline: _Pipeline
    stage: _Step | None = None
    repositories: list[_Repository] = []

    def told(self) -> Told:
        """Of several repositories none is known to be the one that the commit is of."""
        url = self.repositories[0].url if len(self.repositories) == 1 else None
        step = self.stage or self.run
        name = f"{self.pipeline.name}/{self.stage.name}" if self.stage else self.pipeline.name
        return _told(url, self.run.resources.repositories.own.version, name, _state(step.state, step.result), step.links)


_BUILD = msgspec.json.Decoder(_Build)
_RUN = msgspec.json.Decoder(_Run)


def read(event: str, resource: bytes, created: str | None, received_at: datetime) -> tuple[CheckResult, ...]:
    """The result in an event's resource; none where it names no commit or no repository. Raises Refused 400.

    `created` is the event's own time: a run that is run again keeps those of its first attempt.
    """
    if event not in EVENTS:
        return ()
    told = decode(_BUILD, resource).told() if event == BUILD else decode(_RUN, resource).told()
    return results_of([told._replace(at=time_of(created))], received_at)


def _told(url: str | None, revision: str | None, name: str, state: CheckState | None, links: _Links) -> Told:
    return Told(url or "", revision or "", name, state if url else None, url=links.web.href)


def _state(state: str, result: str | None) -> CheckState | None:
    return _RESULTS.get(result or "") if state == _COMPLETED else _STATES.get(state)
