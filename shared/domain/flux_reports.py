"""What the Flux of a cluster says of its own objects (fluxcd.io, notification-controller: Event)."""

from datetime import datetime
from typing import Literal

from shared.domain.record import Record

#: Neither is an outcome: the one is on its way, the other waits for another object.
_ON_THE_WAY = frozenset({"Progressing", "ProgressingWithRetry", "DependencyNotReady"})
#: What a fluxConfiguration's source becomes on the cluster.
_SOURCES = frozenset({"GitRepository", "OCIRepository", "Bucket"})
#: Names with more hyphens are left to the sweep: what one event may cost has an end.
_MOST_OWNERS = 16


class FluxReport(Record, frozen=True):
    """One event of one object on one cluster."""

    cluster_id: str  #: ARM id, lower case
    namespace: str
    kind: str  #: Kustomization, GitRepository, OCIRepository, HelmRelease, ...
    name: str
    revision: str  #: as Flux writes it; "" where the event names none
    severity: Literal["trace", "info", "error"]
    reason: str
    message: str
    at: datetime  #: by the cluster's clock, in whole seconds

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.cluster_id.rpartition("/")[2]

    @property
    def has_failed(self) -> bool:
        return self.severity == "error" and self.reason not in _ON_THE_WAY

    @property
    def has_succeeded(self) -> bool:
        return self.severity == "info" and self.reason == "ReconciliationSucceeded"

    @property
    def is_outcome(self) -> bool:
        return self.has_failed or self.has_succeeded

    def is_newer_than(self, other: "FluxReport | None") -> bool:
        """Flux writes whole seconds. Of two outcomes within one the failure counts, so that the order of arrival does not."""
        return other is None or (self.at, self.has_failed) > (other.at, other.has_failed)

    def is_since(self, moment: datetime) -> bool:
        """Whether it may be of after `moment`, as far as whole seconds tell."""
        return self.at >= moment.replace(microsecond=0)


def owners(report: FluxReport) -> dict[str, str]:
    """The fluxConfigurations that an object may belong to, and of which kustomization of theirs it is; "" for their source.

    Azure names a fluxConfiguration's source like itself, and its Kustomizations `{fluxConfiguration}-{kustomization}`. Both names may
    hold hyphens, so each one may be where they meet. None for an object of another kind.
    """
    if report.kind in _SOURCES:
        return {report.name: ""}
    if report.kind != "Kustomization":
        return {}
    places = [index for index, letter in enumerate(report.name) if letter == "-" and 0 < index < len(report.name) - 1]
    return {report.name[:place]: report.name[place + 1 :] for place in places[:_MOST_OWNERS]}
