"""What the queues carry: ids, never payloads, so that a message is small and holds nothing that is sealed elsewhere."""

from datetime import datetime
from typing import TypeVar

import msgspec

from shared.domain.errors import Malformed
from shared.domain.record import Record

CHANGES = "changes"
ROLLOUT_STEPS = "rollout-steps"
CONFIG_UPDATES = "config-updates"
NOTIFICATIONS = "notifications"
GATE_CALLS = "gate-calls"
COMMIT_REPORTS = "commit-reports"
ONBOARDING = "onboarding"
RESTORATIONS = "restorations"
QUEUES = (CHANGES, ROLLOUT_STEPS, CONFIG_UPDATES, NOTIFICATIONS, GATE_CALLS, COMMIT_REPORTS, ONBOARDING, RESTORATIONS)


class PlanChange(Record, frozen=True):
    """Queue `changes`: a recorded change waits to be planned."""

    source: str
    change_id: str


class StepRollout(Record, frozen=True):
    """Queue `rollout-steps`: look at this rollout now."""

    rollout_id: str


class ApplyUpdate(Record, frozen=True):
    """Queue `config-updates`: write this target's fluxConfiguration. `dispatch` makes an older message a duplicate."""

    rollout_id: str
    target_id: str
    dispatch: int
    attempt: int = 0  #: how often Azure answered "not now" so far


class Notify(Record, frozen=True):
    """Queue `notifications`: a rollout's event waits to be matched with the alerts."""

    rollout_id: str
    event_id: str


class Deliver(Record, frozen=True):
    """Queue `notifications`: a grouped message waits to be posted."""

    channel: str
    delivery_id: str
    slot: datetime | None = None  #: its place in the line before the channel


class Ended(Record, frozen=True):
    """A target that came to a state, with the dispatch in which it did."""

    target_id: str
    state: str
    dispatch: int
    recovered: bool = False  #: it had failed before


class TellTargets(Record, frozen=True):
    """Queue `notifications`: what became of targets in one step of a rollout waits to be matched with the alerts."""

    rollout_id: str
    at: datetime
    ended: tuple[Ended, ...]  #: at most as many as a step changes


class ShowRollout(Record, frozen=True):
    """Queue `notifications`: the messages that show this rollout as it is are to be brought up to date."""

    rollout_id: str


class CallGate(Record, frozen=True):
    """Queue `gate-calls`: the service behind a webhook gate is to be asked."""

    rollout_id: str
    stage: int  #: index
    gate: str  #: name


class ReportCommit(Record, frozen=True):
    """Queue `commit-reports`: a rollout's commit is to be told how far it is now."""

    rollout_id: str


class OnboardCluster(Record, frozen=True):
    """Queue `onboarding`: something happened to this cluster, or the sweep found that it is not as wanted."""

    cluster_id: str  #: ARM id, lower case


class VisitCluster(Record, frozen=True):
    """Queue `onboarding`: the next look at a cluster that is on its way. `visit` makes an older message a duplicate."""

    cluster_id: str
    visit: int
    slot: datetime | None = None  #: reserved for the calls to Azure Resource Manager


class RestoreConfiguration(Record, frozen=True):
    """Queue `restorations`: a fluxConfiguration that others have changed is to be what it was last asked to be.

    `rollout_id`, `dispatch` and `retry` say what that was: where something newer was asked since, nothing is to be done.
    """

    cluster_id: str  #: digest of the cluster's ARM id
    configuration_id: str  #: digest of the fluxConfiguration's
    key: str  #: of the order: carried out once, however often its message comes
    rollout_id: str
    dispatch: int
    retry: int
    resume: bool = False  #: also where it is suspended


Message = (
    PlanChange
    | StepRollout
    | ApplyUpdate
    | Notify
    | Deliver
    | TellTargets
    | ShowRollout
    | CallGate
    | ReportCommit
    | OnboardCluster
    | VisitCluster
    | RestoreConfiguration
)
M = TypeVar("M", bound=Record)

#: What each queue may carry.
KINDS: dict[str, type[Message] | tuple[type[Message], ...]] = {
    CHANGES: PlanChange,
    ROLLOUT_STEPS: StepRollout,
    CONFIG_UPDATES: ApplyUpdate,
    NOTIFICATIONS: (Notify, Deliver, TellTargets, ShowRollout),
    GATE_CALLS: CallGate,
    COMMIT_REPORTS: ReportCommit,
    ONBOARDING: (VisitCluster, OnboardCluster),
    RESTORATIONS: RestoreConfiguration,
}


def encode(message: Record) -> str:
    """JSON text."""
    return msgspec.json.encode(message).decode()


def read(kinds: type[M] | tuple[type[M], ...], body: bytes) -> M:
    """The message in `body`: the first of `kinds` whose fields it has. Raises Malformed."""
    possible = kinds if isinstance(kinds, tuple) else (kinds,)
    for kind in possible:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    raise Malformed(f"not a message of {', '.join(kind.__name__ for kind in possible)}")
