"""How far a cluster is on its way to its baseline, and what its baselines made on it."""

from datetime import datetime
from typing import Any, Literal

from shared.domain.baselines import Kind, OnRemoval
from shared.domain.clusters import Cluster
from shared.domain.observations import AWAY
from shared.domain.record import Record, digest

Json = dict[str, Any]
#: starting: the cluster itself is to be looked at. leaving: no baseline selects it any more, and what was made is suspended or deleted.
OnboardingState = Literal["starting", "onboarding", "done", "failed", "leaving", "left"]
OVER = "-"


class Made(Record, frozen=True):
    """What Sluice asked of one resource on the cluster, and so may take back."""

    kind: Kind
    name: str
    properties: Json  #: as last asked
    secrets: dict[str, str] = {}
    on_removal: OnRemoval = "keep"  #: what the baseline that wanted it last says of it
    created: bool = False  #: it was not there before: only such is ever suspended or deleted
    suspended: bool = False  #: by us
    left: bool = False  #: a baseline that no longer wants it has done with it


class Progress(Record, frozen=True):
    """One cluster. `visit` numbers the messages: only the newest one may act, every other is a duplicate."""

    id: str
    cluster_id: str  #: ARM id, lower case
    subscription: str
    since: datetime  #: when it came to its state or step
    state: OnboardingState = "starting"
    cluster: Cluster | None = None  #: as last seen; None before the first look
    seen_as: str = ""  #: the connectivity of the cluster then
    baseline: str = ""
    aim: str = ""  #: fingerprint of what is wanted; "" = nothing
    step: str = ""  #: key of the piece at work; OVER once there is none
    reason: str = ""  #: what it waits for, or why it failed
    notes: tuple[str, ...] = ()  #: what is left to Azure Policy
    visit: int = 0
    again_at: datetime | None = None  #: when the newest message is due; None = there is none
    looked_at: datetime | None = None
    looks: int = 0  #: at this step, without any change
    attempts: int = 0  #: writes of this step that did not lead to it
    refusals: int = 0  #: calls in a row that Azure could not take
    writing: str = ""  #: a write that was begun and whose end is not recorded yet: its visit, method and piece
    made: dict[str, Made] = {}  #: by the key of the piece

    @property
    def is_away(self) -> bool:
        return self.seen_as in AWAY


class ProgressGlance(Record, frozen=True):
    """What can be seen of a progress without opening it."""

    id: str
    aim: str
    seen_as: str
    again_at: datetime | None = None
    looked_at: datetime | None = None


def progress_id(cluster_id: str) -> str:
    return digest("onboarding", cluster_id.lower())


def new_progress(cluster_id: str, now: datetime) -> Progress:
    lower = cluster_id.lower()
    return Progress(id=progress_id(lower), cluster_id=lower, subscription=lower.split("/")[2], since=now)
