"""What people are told: one fact about a rollout, ready to be rendered by any provider."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

Severity = Literal["info", "error"]
_MOST_CLUSTERS = 100


class ClusterLine(msgspec.Struct, frozen=True):
    """A cluster that an announcement names, and why. Both texts come from outside: escape them for the channel."""

    name: str
    reason: str


class Picture(msgspec.Struct, frozen=True):
    """A small picture for channels that show images. It says nothing that the texts do not say."""

    png: bytes  #: a few kilobytes: it is stored and sent with its message
    text: str  #: what it shows, for those who do not see it


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
    many: str = ""  #: what it tells of one cluster, where it may be told of many at once: "1 cluster", and this
    others: tuple[str, ...] = ()  #: ids of those that are told in it
    at: datetime | None = None  #: when it happened; None = now
    subject: str = ""  #: the same for all that is told of one thing, for example a rollout's id; "" = it stands alone
    next_step: str = ""  #: what to do about it
    fields: dict[str, str | int] = {}  #: the same for programs: rollout, route, stage, counts, ...; names in camelCase
    picture: Picture | None = None

    def joined(self, again: "Announcement") -> "Announcement":
        """This one with the clusters that `again`, the same fact, names beside. Beyond a hundred nobody reads on."""
        named = {line.name for line in self.clusters}
        more = tuple(line for line in again.clusters if line.name not in named)
        return replace(self, clusters=(*self.clusters, *more[: max(0, _MOST_CLUSTERS - len(named))])) if more else self


MAX_CLUSTERS = 25


def holds(announcement: Announcement, announcement_id: str) -> bool:
    return announcement.id == announcement_id or announcement_id in announcement.others


def join(one: Announcement, other: Announcement) -> Announcement | None:
    """Both as one, which counts the clusters; None where they do not tell the same."""
    if not one.many or (one.kind, one.many) != (other.kind, other.many):
        return None
    others = (*one.others, other.id)
    clusters = (*one.clusters, *other.clusters)
    return replace(
        one,
        title=f"{len(others) + 1} clusters {one.many}",
        clusters=clusters[:MAX_CLUSTERS],
        more_clusters=one.more_clusters + other.more_clusters + len(clusters[MAX_CLUSTERS:]),
        others=others,
    )
