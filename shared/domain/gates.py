"""What a stage waits for before it opens, beside the stage before it."""

from datetime import datetime
from typing import Literal

from shared.domain.record import Record

GateType = Literal["approval", "checks", "webhook", "promotion"]
GateState = Literal["waiting", "approved", "rejected", "expired"]
#: What a CI system says of a revision.
CheckState = Literal["pending", "success", "failure"]


class Verdict(Record, frozen=True):
    """What one person, or one called service, said at a gate."""

    by: str
    approved: bool
    reason: str
    at: datetime


class Gate(Record, frozen=True):
    """A gate as the strategy had it when the rollout began, and what has been said at it."""

    name: str  #: unique within its stage
    type: GateType
    state: GateState = "waiting"
    asked_at: datetime | None = None  #: since when the stage waits at it
    expires_after_seconds: float | None = None  #: None = never
    approvers: tuple[str, ...] = ()  #: approval: roles, any of which may approve
    required: int = 1  #: approval: how many different people
    checks: tuple[str, ...] = ()  #: checks: names that must have succeeded on the revision
    url: str = ""  #: webhook: what is called
    secret_ref: str = ""  #: webhook: what the call and the callback's token are signed with
    called_at: datetime | None = None  #: webhook: when it was called
    route: str = ""  #: promotion: the route whose rollout of the same change must have succeeded
    verdicts: tuple[Verdict, ...] = ()
    reason: str = ""  #: why it is rejected or expired
