"""What CI systems say of a revision: the newest result of every check counts."""

from datetime import datetime

from shared.domain.gates import CheckState
from shared.domain.record import Record, digest

#: Of two results of the same moment: what is done outweighs what is under way, and a failure outweighs a success.
_WEIGHT: dict[CheckState, int] = {"pending": 0, "success": 1, "failure": 2}


class CheckResult(Record, frozen=True):
    """One result of one check on one revision."""

    source: str  #: digest of the repository's canonical URL
    revision: str
    name: str  #: as the CI system shows it: a status' context, a check's or a workflow's name
    state: CheckState
    at: datetime  #: by the sender's clock
    url: str = ""  #: where people read more


def check_id(revision: str, name: str) -> str:
    return f"check.{digest('check', revision, name)}"


def is_newer(result: CheckResult, known: CheckResult) -> bool:
    """Whether `result` takes the place of `known`, of the same check. In whatever order results arrive, the same one stays."""
    return (result.at, _WEIGHT[result.state]) > (known.at, _WEIGHT[known.state])
