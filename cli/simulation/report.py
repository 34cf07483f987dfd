"""What a simulation found. `sluice simulate --json` prints it: the same model gives the same text."""

from cli.simulation.model import Model
from shared.domain.record import Record

#: What becomes of targets, as the chart and the series tell it, in the order in which they are stacked.
STATES = ("compliant", "failed", "offline", "applied", "queued", "pending")

#: How much of the time after its end the chart shows, and the series follows as closely as before.
CHART_BEYOND = 1.02


class StageReport(Record, frozen=True):
    """All times are seconds since the rollout began; None: it did not happen."""

    name: str
    total: int
    state: str
    opened_at: float | None
    first_update_at: float | None
    last_update_at: float | None
    done_at: float | None  #: when its bake began
    closed_at: float | None
    least_opened_at: float | None  #: when it could have opened at the earliest
    least_closed_at: float | None
    counts: dict[str, int]  #: at the end of the simulation, by state
    most_offline: int  #: at once


class EventReport(Record, frozen=True):
    at: float
    kind: str
    summary: str


class Pause(Record, frozen=True):
    begin: float
    end: float | None


class Moment(Record, frozen=True):
    """How many targets there were in each state."""

    at: float
    counts: dict[str, int]


class Report(Record, frozen=True):
    api_version: str
    strategy: str
    model: Model
    state: str  #: of the rollout at the end
    reason: str
    makespan_seconds: float | None  #: until the last stage closed
    least_seconds: float | None  #: theoretical makespan; None for a rollout that was paused, did not succeed, or keeps to windows
    ratio: float | None
    settled_seconds: float  #: until nothing could happen any more: also clusters that were away are done
    targets: int
    unstaged: int  #: clusters that no stage selects
    updates: int  #: PATCHes that ARM accepted
    throttled: int  #: PATCHes that ARM refused for being too fast
    counts: dict[str, int]
    stages: tuple[StageReport, ...]
    pauses: tuple[Pause, ...]
    events: tuple[EventReport, ...]
    messages: dict[str, int]  #: sent, by queue
    audit_entries: int
    failed_invocations: int
    series: tuple[Moment, ...]
