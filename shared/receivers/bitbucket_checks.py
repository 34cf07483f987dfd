"""Bitbucket Cloud's events that tell of the build statuses of a commit (support.atlassian.com/bitbucket-cloud/docs/event-payloads)."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from shared.domain.checks import CheckResult
from shared.domain.gates import CheckState
from shared.receivers.check_results import Told, results_of
from shared.receivers.payloads import decode, time_of

EVENTS = ("repo:commit_status_created", "repo:commit_status_updated")

_STATES: dict[str, CheckState] = {"SUCCESSFUL": "success", "FAILED": "failure", "STOPPED": "failure", "INPROGRESS": "pending"}


class _Link(msgspec.Struct):
    href: str = ""


class _Links(msgspec.Struct):
    commit: _Link = msgspec.field(default_factory=_Link)


class _Commit(msgspec.Struct):
    hash: str = ""


class _Status(msgspec.Struct):
    key: str
    state: str
    name: str | None = None
    url: str | None = None
    updated_on: str | None = None
    commit: _Commit = msgspec.field(default_factory=_Commit)
    links: _Links = msgspec.field(default_factory=_Links)

    @property
    def revision(self) -> str:
        """Not every payload has the commit beside the link to it."""
        return self.commit.hash or self.links.commit.href.rpartition("/")[2]


class _Html(msgspec.Struct):
    html: _Link


class _Repository(msgspec.Struct):
    links: _Html


class _StatusEvent(msgspec.Struct):
    commit_status: _Status
    repository: _Repository


_DECODER = msgspec.json.Decoder(_StatusEvent)


def read(event: str, payload: bytes, received_at: datetime) -> tuple[CheckResult, ...]:
    """The results in a payload; none where the event tells of no check. Raises Refused 400."""
    return results_of(_told(decode(_DECODER, payload)), received_at) if event in EVENTS else ()


def _told(event: _StatusEvent) -> Iterator[Told]:
    """Under its key, and under the name that people see where it has another: either may be required."""
    status, repository = event.commit_status, event.repository.links.html.href
    for name in dict.fromkeys((status.key, status.name or status.key)):
        yield Told(repository, status.revision, name, _STATES.get(status.state), time_of(status.updated_on), status.url)
