"""Sluice's own body for a check (docs/receivers.md): what a CI system tells that has no webhook for it, or none that is signed."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.domain.checks import CheckResult
from shared.receivers.check_results import Told, results_of
from shared.receivers.payloads import decode, time_of
from shared.receivers.pushes import Sha

EVENT = "check"


class _Kind(msgspec.Struct):
    check: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Check(msgspec.Struct):
    repository: str
    revision: Sha
    check: Annotated[str, Meta(min_length=1, max_length=255)]
    state: Literal["pending", "success", "failure"]
    timestamp: int | str | None = None
    url: str | None = None


_KIND = msgspec.json.Decoder(_Kind)
_CHECK = msgspec.json.Decoder(_Check)


def is_check(payload: bytes) -> bool:
    """Whether the body tells of a check, not of a push. Raises Refused 400 for what is no JSON object."""
    return decode(_KIND, payload).check is not msgspec.UNSET


def read(payload: bytes, received_at: datetime) -> tuple[CheckResult, ...]:
    """The result in a body. Raises Refused 400."""
    check = decode(_CHECK, payload)
    told = Told(check.repository, check.revision, check.check, check.state, time_of(check.timestamp), check.url)
    return results_of([told], received_at)
