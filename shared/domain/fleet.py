"""The fleet as the newest sweep saw it: every cluster with its fluxConfigurations, kept in a few pages.

Pages, not a document a cluster: a rollout changes every cluster, and a sweep then writes each page once instead of every cluster;
a sweep that finds nothing new reads the pages, and writes none.
"""

from datetime import datetime
from typing import Literal

from shared.domain.announcements import Severity
from shared.domain.clusters import Traits
from shared.domain.pins import Pin
from shared.domain.record import Record, digest

#: Enough that ten changes in a large fleet hardly ever share a page, and few enough to be read at once. Never changed: a cluster's
#: page is made of it.
PAGES = 64

#: States of a cluster that nothing reaches.
_AWAY = frozenset({"offline", "expired"})

DriftKind = Literal["missing", "suspended", "spec", "extension", "revision"]


class Extension(Record, frozen=True):
    """A cluster's microsoft.flux extension, in Azure's words."""

    state: str  #: provisioningState
    version: str
    release_train: str
    message: str = ""  #: why it is not well


class Cluster(Record, frozen=True):
    """A connected cluster. `kind` is ProvisionedCluster for AKS on Azure Local (azure-rest-api-specs, ConnectedClusterKind)."""

    id: str  #: ARM id, lower case
    name: str
    subscription: str
    resource_group: str
    location: str
    distribution: str
    kubernetes_version: str
    tags: dict[str, str]
    connectivity: str
    agent_version: str
    kind: str = ""
    extension: Extension | None = None
    policies: tuple[str, ...] = ()  #: names of the policy assignments that it does not comply with, in order


class Seen(Record, frozen=True):
    """A fluxConfiguration, without what changes with every report of its cluster."""

    id: str  #: ARM id, lower case
    name: str
    url: str
    source_kind: str
    branch: str
    tag: str
    semver: str
    commit: str
    digest: str
    suspended: bool
    compliance: str
    revision: str
    provisioning: str
    message: str = ""
    values: dict[str, dict[str, str]] = {}  #: by kustomization: its postBuild.substitute


class Sighting(Record, frozen=True):
    """One line of a look at the whole fleet: a fluxConfiguration with its cluster, or a cluster that has none."""

    cluster: Cluster
    configuration: Seen | None = None


class Asked(Record, frozen=True):
    """What Sluice last asked of a fluxConfiguration, and ARM accepted."""

    pin: Pin
    applied_at: datetime
    rollout_id: str
    dispatch: int
    retry: int
    route: str = ""
    source: str = ""  #: id of the source; "" in records of versions that did not keep it


class Drift(Record, frozen=True):
    """How a fluxConfiguration departs from what was asked. `found_at` is None while it may yet pass by itself."""

    kind: DriftKind
    detail: str
    since: datetime
    found_at: datetime | None = None
    by: str = ""  #: who wrote it; "" = unknown
    by_at: datetime | None = None
    restores: int = 0  #: how often it was ordered to be put back
    restored_at: datetime | None = None  #: when last
    note: str = ""  #: why it is not put back


class Standing(Record, frozen=True):
    """With which sweep, and when, something became what it is."""

    sweep: int
    since: datetime


class Entry(Record, frozen=True):
    """A fluxConfiguration of the fleet."""

    seen: Seen
    asked: Asked | None = None
    state: str = ""  #: the last of "compliant" and "non-compliant" that it was
    drift: Drift | None = None
    missing_since: datetime | None = None
    standing: Standing | None = None  #: None in pages of versions that did not keep it
    looked_at: datetime | None = None  #: when Azure Resource Manager was asked about this one alone, last
    since: datetime | None = None  #: when it was found non-compliant; None while it is not

    @property
    def has_drifted(self) -> bool:
        return self.drift is not None and self.drift.found_at is not None


class Member(Record, frozen=True):
    """A cluster of the fleet. `states` are the last ones that were worth telling, by topic."""

    cluster: Cluster
    entries: dict[str, Entry] = {}  #: by the ARM id of the fluxConfiguration
    states: dict[str, str] = {}
    restores: tuple[datetime, ...] = ()  #: when, in the last day, something on it was ordered to be put back
    missing_since: datetime | None = None
    standing: Standing | None = None  #: of the cluster itself, without its fluxConfigurations
    since: dict[str, datetime] = {}  #: by topic, of those states that are bad: when it was found so

    @property
    def is_away(self) -> bool:
        return self.states.get("cluster") in _AWAY


class Gone(Record, frozen=True):
    """A cluster or fluxConfiguration that was in the fleet, and is no longer in Azure."""

    cluster: str
    cluster_id: str  #: ARM id
    standing: Standing
    configuration: str = ""


class Transition(Record, frozen=True):
    """Something became another state than it was."""

    kind: str  #: event type, for example "cluster.offline"
    cluster: str
    reason: str
    configuration: str = ""
    route: str = ""
    configuration_id: str = ""  #: ARM id
    cluster_id: str = ""  #: ARM id; "" in pages of versions that did not keep it
    traits: Traits | None = None  #: of the cluster
    at: datetime | None = None  #: when it was found so

    @property
    def is_drift(self) -> bool:
        return self.kind.startswith("drift.")

    @property
    def severity(self) -> Severity:
        return "error" if self.kind in ERRORS else "info"


class Order(Record, frozen=True):
    """A fluxConfiguration is to be put back to what was asked. Its key is that of every message about it."""

    key: str
    configuration_id: str  #: ARM id
    subscription: str
    rollout_id: str
    dispatch: int
    retry: int
    resume: bool = False


class Aside(Record, frozen=True):
    """What a look at a single fluxConfiguration has to say. It stands on the page until it is said, whichever sweep comes between."""

    id: str  #: of the look
    cause: str
    news: tuple[Transition, ...] = ()
    orders: tuple[Order, ...] = ()


class Page(Record, frozen=True):
    """A part of the fleet, and what the sweep that wrote it last had to say about it."""

    id: str
    sweep: int = 0
    members: dict[str, Member] = {}  #: by ARM id
    news: tuple[Transition, ...] = ()
    orders: tuple[Order, ...] = ()
    gone: dict[str, Gone] = {}  #: by ARM id, for some days
    asides: tuple[Aside, ...] = ()


#: States that are told although nothing is known from before.
BAD = frozenset(
    {
        "cluster.offline",
        "cluster.expired",
        "configuration.non-compliant",
        "extension.degraded",
        "extension.missing",
        "flux.unsupported",
        "policy.non-compliant",
    }
)
ERRORS = frozenset({"cluster.expired", "configuration.non-compliant", "extension.degraded", "extension.missing", "drift.found"})


def page_number(cluster_id: str) -> int:
    """The page of a cluster, by its ARM id."""
    return int(digest("cluster", cluster_id.lower())[:8], 16) % PAGES


def page_id(number: int) -> str:
    return f"{number:02d}"
