"""The fact that a source moved to a revision."""

from datetime import datetime
from typing import Literal

from shared.domain.record import Record, digest
from shared.domain.sources import SourceType, source_id

ChangeKind = Literal["created", "updated", "deleted"]


class Change(Record, frozen=True):
    """One ref of one source moved, as one delivery told it. A registry's tag is a ref too: refs/tags/v1.2.3."""

    id: str
    source: str  #: digest of the source's type and canonical URL
    url: str  #: canonical
    ref: str  #: full name: refs/heads/main, refs/tags/v1.2.3
    kind: ChangeKind
    before: str  #: commit the sender saw before; "" where there was none, and for an artifact
    revision: str  #: commit it is at now, or the hexadecimal part of an artifact's sha256 digest; "" when the ref was deleted
    forced: bool
    pushed_at: datetime  #: the sender's clock where it tells the time, else ours
    received_at: datetime
    receiver: str
    delivery: str
    paths: tuple[str, ...] | None  #: files touched; None = unknown, so every path filter matches
    author: str
    title: str  #: first line of the newest commit's message
    source_kind: SourceType = "git"
    automated: bool = False  #: every commit of the push names automation as its author

    @property
    def branch(self) -> str | None:
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None

    @property
    def tag(self) -> str | None:
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else None


class Unplanned(Record, frozen=True):
    """A change on the list of those that wait to be planned."""

    change_id: str
    source: str
    since: datetime  #: from when on it may be planned


def change_id(receiver: str, delivery: str, url: str, ref: str) -> str:
    """The id that makes a second delivery of the same change collide with the first."""
    return digest("change", receiver, delivery, source_id(url), ref)
