"""What a rollout is: one change moving through its targets, stage by stage. How it moves is in `advance.py`."""

from datetime import datetime
from typing import Literal

from shared.domain.gates import Gate
from shared.domain.observations import Observation
from shared.domain.pins import Pin
from shared.domain.record import Record, digest
from shared.domain.windows import Calendar

RolloutState = Literal["running", "paused", "rolling-back", "succeeded", "rolled-back", "superseded", "aborted"]
StageState = Literal["pending", "running", "succeeded", "failed"]
TargetState = Literal["pending", "queued", "applied", "offline", "compliant", "rolled-back", "failed", "skipped", "superseded"]
OnFailure = Literal["pause", "rollback", "continue"]

#: States in which ARM or a cluster still owes us an answer, and which take a place of maxConcurrency.
IN_FLIGHT: frozenset[TargetState] = frozenset({"queued", "applied"})
OPEN: frozenset[TargetState] = frozenset({"pending", "queued", "applied", "offline"})
FINAL: frozenset[TargetState] = frozenset({"compliant", "rolled-back", "failed", "skipped", "superseded"})
FINISHED: frozenset[RolloutState] = frozenset({"succeeded", "rolled-back", "superseded", "aborted"})


class Rejection(Record, frozen=True):
    """ARM's final no to a PATCH."""

    code: str
    message: str
    missing: bool = False  #: the fluxConfiguration is gone (404)


class Target(Record, frozen=True):
    """One fluxConfiguration on one cluster within a rollout.

    `advance` owns the state, but for queued -> applied, which `apply_update` makes after its PATCH, and superseded, which a
    newer claim brings.
    """

    id: str
    rollout_id: str
    stage: int
    order: int  #: place within the whole rollout; targets start in this order
    configuration_id: str  #: ARM id, lower case
    configuration: str
    cluster: str
    subscription: str
    state: TargetState = "pending"
    reason: str = ""
    dispatch: int = 0  #: how often an update message was sent; an older message is a duplicate
    slot: datetime | None = None  #: when ARM may be written to, by the pace
    applied_at: datetime | None = None
    accepted_at: datetime | None = None  #: when ARM took the newest PATCH; `applied_at` is the start of the time to become compliant
    failing_since: datetime | None = None
    rejection: Rejection | None = None
    before: Observation | None = None  #: as planning found it
    pin: Pin | None = None  #: what this rollout asks for
    previous: Pin | None = None  #: what a rollback asks for; None where no good revision is known
    calendar: int = 0  #: index of the rollout's calendar that it keeps to
    observation: Observation | None = None  #: newest


class Rules(Record, frozen=True):
    """When a target counts as failed, and a stage as stopped."""

    compliance_within_seconds: float
    grace_seconds: float  #: how long Non-Compliant may last before it is a failure
    max_failures: int  #: tolerated in a stage; one more stops the rollout
    redispatch_after_seconds: float  #: an update message that had no effect for so long is sent again
    on_failure: OnFailure = "pause"


class Stage(Record, frozen=True):
    """A stage as the strategy had it when the rollout began, and how far it is."""

    name: str
    total: int
    max_concurrency: int  #: targets in flight at once, at least 1
    after_wait_seconds: float
    rules: Rules
    bake_seconds: float = 0.0  #: how long its clusters must stay compliant once all are done
    gates: tuple[Gate, ...] = ()
    state: StageState = "pending"
    opened_at: datetime | None = None
    done_at: datetime | None = None  #: when its last target was done, and its bake began
    closed_at: datetime | None = None
    counts: dict[str, int] = {}
    forgiven: int = 0  #: failures that a person accepted by resuming


class RolloutEvent(Record, frozen=True):
    """A step worth telling people. Its id is stable, so telling it twice can be noticed."""

    id: str
    kind: str
    at: datetime
    summary: str
    stage: int | None = None
    severity: Literal["info", "error"] = "info"


class Rollout(Record, frozen=True):
    """One change moving through its targets."""

    id: str
    route: str
    source: str
    url: str
    ref: str
    revision: str
    change_id: str
    sequence: int
    author: str
    title: str
    forced: bool
    stages: tuple[Stage, ...]
    rules: Rules
    created_at: datetime
    updated_at: datetime
    state: RolloutState = "running"
    reason: str = ""
    current: int = 0  #: index of the stage that is open or opens next
    unstaged: int = 0  #: matching fluxConfigurations that no stage selects
    superseded_by: str = ""
    events: tuple[RolloutEvent, ...] = ()
    announced: int = 0  #: how many of `events` are known to be in the notifications queue
    wake_at: datetime | None = None  #: a wake message for this moment is in the queue
    calendars: tuple[Calendar, ...] = (Calendar(),)

    @property
    def tag(self) -> str | None:
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else None

    @property
    def branch(self) -> str | None:
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None

    @property
    def total(self) -> int:
        return sum(stage.total for stage in self.stages)


def rollout_id(change: str, route: str) -> str:
    return digest("rollout", change, route)


def target_id(configuration_id: str) -> str:
    return digest("target", configuration_id)
