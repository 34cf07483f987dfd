"""What a rollout is: one change moving through its targets, stage by stage. How it moves is in `advance.py`."""

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from shared.domain.clusters import Traits
from shared.domain.flux_receivers import FluxReceiver
from shared.domain.flux_reports import FluxReport
from shared.domain.gates import Gate
from shared.domain.observations import Observation
from shared.domain.pins import Pin
from shared.domain.record import Record, digest
from shared.domain.windows import Calendar

RolloutState = Literal["running", "paused", "rolling-back", "succeeded", "rolled-back", "superseded", "aborted"]
StageState = Literal["pending", "running", "succeeded", "failed"]
TargetState = Literal["pending", "queued", "applied", "offline", "compliant", "rolled-back", "failed", "skipped", "superseded"]
OnFailure = Literal["pause", "rollback", "continue"]
#: Where a target is to go: to the rollout's revision, or back to its own previous one.
Goal = Literal["forward", "back"]
#: What a rollout does to its targets: it writes the revision to Azure, or calls the cluster's Flux Receiver, so that Flux fetches it.
Action = Literal["pin", "notify-receiver"]

#: States in which ARM or a cluster still owes us an answer, and which take a place of maxConcurrency.
IN_FLIGHT: frozenset[TargetState] = frozenset({"queued", "applied"})
OPEN: frozenset[TargetState] = frozenset({"pending", "queued", "applied", "offline"})
FINAL: frozenset[TargetState] = frozenset({"compliant", "rolled-back", "failed", "skipped", "superseded"})
FINISHED: frozenset[RolloutState] = frozenset({"succeeded", "rolled-back", "superseded", "aborted"})
#: Rollouts that are over and let go of every target that is still open.
GIVEN_UP: frozenset[RolloutState] = frozenset({"superseded", "aborted"})


class Rejection(Record, frozen=True):
    """Why a PATCH will never happen: ARM's final no, or that a newer change has the fluxConfiguration. Of a target that is applied all
    the same: why its Receiver was not called.
    """

    code: str
    message: str
    missing: bool = False  #: the fluxConfiguration is gone (404)
    overtaken: bool = False  #: a newer change has it


class Target(Record, frozen=True):
    """One fluxConfiguration on one cluster within a rollout.

    `advance` owns the state and makes every final one. `apply_update` moves queued -> applied after its PATCH, or back to pending
    where the rollout has stopped; whatever else it or a look at the fleet finds, it leaves here for `advance` with `has_news`.
    """

    id: str
    rollout_id: str
    stage: int
    order: int  #: place within the whole rollout; targets start in this order
    configuration_id: str  #: ARM id, lower case
    configuration: str
    cluster: str
    subscription: str
    pin: Pin  #: what this rollout asks for
    previous: Pin | None = None  #: what a rollback asks for; None where no good revision is known
    receiver: FluxReceiver | None = None  #: the cluster's Receiver, which is called in place of a PATCH
    calendar: int = 0  #: index of the rollout's calendar that it keeps to
    state: TargetState = "pending"
    goal: Goal = "forward"
    reason: str = ""
    dispatch: int = 0  #: how often an update message was sent; an older message is a duplicate
    retry: int = 0  #: how many retries of the rollout had been asked for when it failed, or was tried again
    slot: datetime | None = None  #: when ARM may be written to, by the pace
    applied_at: datetime | None = None
    accepted_at: datetime | None = None  #: when ARM took the newest PATCH; `applied_at` is the start of the time to become compliant
    failing_since: datetime | None = None
    missing_since: datetime | None = None
    away: str = ""  #: connectivity of a cluster that is offline, in Azure's words
    has_news: bool = False  #: something was written that `advance` has not judged
    judge_at: datetime | None = None  #: when time alone changes it (see `targets.due_at`)
    rejection: Rejection | None = None
    before: Observation | None = None  #: as planning found it
    observation: Observation | None = None  #: newest
    namespace: str = ""  #: of its Flux objects on the cluster
    kustomizations: tuple[str, ...] = ()  #: names within the fluxConfiguration, as planning found them
    reports: dict[str, FluxReport] = {}  #: by name of the kustomization: what Flux itself said last of an outcome
    has_failed: bool = False  #: in this rollout, at some time
    traits: Traits | None = None  #: of its cluster, where an alert asked for them as it was planned

    @property
    def asked(self) -> Pin | None:
        """What its fluxConfiguration is to be."""
        return self.pin if self.goal == "forward" else self.previous


class Glance(Record, frozen=True):
    """What can be seen of a target without opening it: enough to count it, and to know whether it is worth opening."""

    id: str
    stage: int
    order: int
    subscription: str
    state: TargetState
    goal: Goal
    dispatch: int
    retry: int
    calendar: int
    has_news: bool
    away: str = ""
    judge_at: datetime | None = None

    @staticmethod
    def at(target: Target) -> "Glance":
        return Glance(**{name: getattr(target, name) for name in Glance.__struct_fields__})


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

    @property
    def is_baking(self) -> bool:
        """Whether its clusters must stay as they are: also while people decide what a failure means."""
        return self.done_at is not None and self.closed_at is None


class RolloutEvent(Record, frozen=True):
    """A step worth telling people. Its id is stable, so telling it twice can be noticed."""

    id: str
    kind: str
    at: datetime
    summary: str
    stage: int | None = None
    severity: Literal["info", "error"] = "info"
    by: str = ""  #: who asked for it; "" = Sluice itself
    reason: str = ""  #: theirs


class Reporting(Record, frozen=True):
    """Where and how a rollout tells its commit how far it is."""

    provider: str  #: name of the Git host in sluice.yaml
    deployments: bool = False  #: one a stage, beside its status
    comment: bool = False  #: on the merged pull request


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
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime | None = None  #: when its change was received; None in rollouts of versions that did not keep it
    action: Action = "pin"
    state: RolloutState = "running"
    reason: str = ""
    waiting_for: str = ""  #: why nothing moves just now, in words
    current: int = 0  #: index of the stage that is open or opens next
    calendars: tuple[Calendar, ...] = (Calendar(),)
    unstaged: int = 0  #: matching fluxConfigurations that no stage selects
    superseded_by: str = ""
    retries: int = 0  #: how often someone asked to try the failed ones again
    back_stages: tuple[int, ...] = ()  #: the stages that are rolled back
    events: tuple[RolloutEvent, ...] = ()
    announced: int = 0  #: how many of `events` are known to be in the notifications queue
    unnoted: tuple[str, ...] = ()  #: targets that came to an end with the newest step and may lack their audit record
    wake_at: datetime | None = None  #: a wake message for this moment is in the queue
    report: Reporting | None = None  #: None: its route does not report to the commit
    reported: str = ""  #: fingerprint of the newest statuses for which a report is known to be in its queue
    is_shown: bool = False  #: some channel keeps a message about it up to date
    shown: str = ""  #: fingerprint of what such a message is known to have been asked to show

    @property
    def tag(self) -> str | None:
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else None

    @property
    def branch(self) -> str | None:
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None

    @property
    def total(self) -> int:
        return sum(stage.total for stage in self.stages)

    def with_stage(self, index: int, stage: Stage) -> "Rollout":
        return replace(self, stages=(*self.stages[:index], stage, *self.stages[index + 1 :]))

    def with_event(
        self, kind: str, now: datetime, summary: str, *, key: str = "", stage: int | None = None, error: bool = False
    ) -> "Rollout":
        """The rollout with one more event; the same one again, by kind, key and stage, is not added."""
        place = "" if stage is None else f".{stage}"
        event_id = f"{self.id}.{kind}{key and f'.{key}'}{place}"
        if any(event.id == event_id for event in self.events):
            return self
        event = RolloutEvent(id=event_id, kind=kind, at=now, summary=summary, stage=stage, severity="error" if error else "info")
        return replace(self, events=(*self.events, event))


def rollout_id(change: str, route: str) -> str:
    return digest("rollout", change, route)


def target_id(configuration_id: str) -> str:
    return digest("target", configuration_id)
