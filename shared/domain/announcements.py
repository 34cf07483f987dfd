"""What people are told: one fact about a rollout, ready to be rendered by any provider."""

from typing import Literal

import msgspec
from msgspec.structs import replace

Severity = Literal["info", "error"]
_MOST_CLUSTERS = 100


class ClusterLine(msgspec.Struct, frozen=True):
    """A cluster that an announcement names, and why. Both texts come from outside: escape them for the channel."""

    name: str
    reason: str


class Announcement(msgspec.Struct, frozen=True):
    """One fact worth telling. Every text may hold what users or clusters wrote: providers escape and cut it.

    `id` is stable: a retry, or the same fact met twice, carries the same one.
    """

    id: str
    kind: str  #: event type, for example "rollout.started", "stage.failed"
    severity: Severity
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()  #: label and value
    clusters: tuple[ClusterLine, ...] = ()
    more_clusters: int = 0  #: how many more there are than `clusters` names
    links: tuple[tuple[str, str], ...] = ()  #: text and https address

    def joined(self, again: "Announcement") -> "Announcement":
        """This one with the clusters that `again`, the same fact, names beside. Beyond a hundred nobody reads on."""
        named = {line.name for line in self.clusters}
        more = tuple(line for line in again.clusters if line.name not in named)
        return replace(self, clusters=(*self.clusters, *more[: max(0, _MOST_CLUSTERS - len(named))])) if more else self
