"""What a route asks of a commit before its first cluster moves."""

from typing import Annotated

from msgspec import Meta

from shared.config.fields import Duration, Section, seconds
from shared.config.strategies import Check
from shared.domain.gates import REQUIRES, Gate


class Requires(Section, frozen=True):
    """Checks that must have succeeded on the commit, in whatever order they and the push arrive."""

    checks: Annotated[tuple[Check, ...], Meta(min_length=1)]
    within: Duration = "2h"  #: how long they are waited for, from when the first stage with clusters waits

    def as_gate(self) -> Gate:
        return Gate(name=REQUIRES, type="checks", checks=self.checks, expires_after_seconds=seconds(self.within))
