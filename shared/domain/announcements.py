"""What people are told: one fact about a rollout, ready to be rendered by any provider."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

Severity = Literal["info", "error"]
#: A text, a number, or texts by name.
Field = str | int | dict[str, str]


class ClusterLine(msgspec.Struct, frozen=True):
    """A cluster that an announcement names, and why. Both texts come from outside: escape them for the channel."""

    name: str
    reason: str
    id: str = ""  #: for programs: ARM id of the cluster, or of the fluxConfiguration on it


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
    many: str = ""  #: what it tells of one cluster, where it may be told of many at once: "1 cluster", and this; or with {n} a title
    others: tuple[str, ...] = ()  #: ids of those that are told in it
    at: datetime | None = None  #: when it happened; None = now
    subject: str = ""  #: the same for all that is told of one thing, for example a rollout's id; "" = it stands alone
    next_step: str = ""  #: what to do about it
    fields: dict[str, Field] = {}  #: the same for programs: some of `event_fields.FIELDS`
    picture: Picture | None = None


#: Beyond these nobody reads on: a link leads to all.
MAX_CLUSTERS = 25
#: Joined only where they agree in these.
_SAME = ("rollout", "route", "baseline")


def holds(announcement: Announcement, announcement_id: str) -> bool:
    return announcement.id == announcement_id or announcement_id in announcement.others


def join(one: Announcement, other: Announcement, *, most: int = MAX_CLUSTERS, by_name: bool = False) -> Announcement | None:
    """Both as one, which counts the clusters and names the first `most`; None where they do not tell the same.

    `by_name`: nor where one of them would not be named, since a program reads names and not counts.
    """
    if not one.many or (one.kind, one.many, one.severity) != (other.kind, other.many, other.severity):
        return None
    if any(one.fields.get(name) != other.fields.get(name) for name in _SAME):
        return None
    clusters = (*one.clusters, *other.clusters)
    if by_name and len(clusters) > most:
        return None
    others = (*one.others, other.id, *other.others)
    count = f"{len(others) + 1:,}"
    return replace(
        one,
        title=one.many.replace("{n}", count) if "{n}" in one.many else f"{count} clusters {one.many}",
        clusters=clusters[:most],
        more_clusters=one.more_clusters + other.more_clusters + len(clusters[most:]),
        others=others,
        at=min(filter(None, (one.at, other.at)), default=None),
        subject=one.subject if one.subject == other.subject else "",
        fields={**_common(one, other), "count": len(others) + 1},
    )


def _common(one: Announcement, other: Announcement) -> dict[str, Field]:
    """What holds for the clusters of both."""
    return {name: value for name, value in one.fields.items() if other.fields.get(name) == value}
