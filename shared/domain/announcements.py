"""What people are told: one fact about a rollout, ready to be rendered by any provider."""

from typing import Literal

import msgspec

Severity = Literal["info", "error"]


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
