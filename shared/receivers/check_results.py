"""What a sender tells of checks on commits, and the results that it is."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from shared.domain.checks import CheckResult
from shared.domain.errors import Malformed
from shared.domain.gates import CheckState
from shared.domain.sources import source_id
from shared.receivers.payloads import invalid

_MAX_NAME = 255
_MAX_URL = 2000
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Told(NamedTuple):
    """One check, as its sender tells of it."""

    repository: str  #: its URL, in any spelling
    revision: str
    name: str
    state: CheckState | None  #: None = says nothing of the commit
    at: datetime | None = None  #: by the sender's clock; None where it does not tell
    url: str | None = None  #: where people read more


def results_of(told: Iterable[Told], received_at: datetime) -> tuple[CheckResult, ...]:
    """A result for each check that has a name, a commit and a state. Raises Refused 400 where the repository's URL is none."""
    try:
        return tuple(_result(check, check.state, received_at) for check in told if check.state and _is_named(check))
    except Malformed as error:
        raise invalid(error) from None


def _is_named(check: Told) -> bool:
    return 0 < len(check.name) <= _MAX_NAME and bool(_COMMIT.fullmatch(check.revision))


def _result(check: Told, state: CheckState, received_at: datetime) -> CheckResult:
    return CheckResult(
        source=source_id(check.repository),
        revision=check.revision,
        name=check.name,
        state=state,
        at=_in_utc(check.at) or received_at,
        url=_link(check.url),
    )


def _in_utc(at: datetime | None) -> datetime | None:
    try:
        return at and (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC))
    except OverflowError:
        return None


def _link(url: str | None) -> str:
    """Only what people may safely click on."""
    return url if url and url.startswith("https://") and len(url) <= _MAX_URL else ""
