"""The newest accepted revision of every ref: what is new, what was seen, what came too late."""

from datetime import datetime
from typing import Literal

from shared.domain.changes import Change
from shared.domain.record import Record, digest
from shared.domain.sources import is_bucket

Verdict = Literal["accept", "again", "stale"]
_LINEAGE = 64  #: how many former revisions a head remembers


class Head(Record, frozen=True):
    """Where a ref stands, and the order number of the change that moved it there."""

    id: str
    source: str
    revision: str = ""
    sequence: int = 0  #: grows with every accepted change; comparable across refs (milliseconds of planning, never less than the last + 1)
    pushed_at: datetime | None = None
    change_id: str = ""
    forced: bool = False  #: a force-push moved it there
    lineage: tuple[str, ...] = ()  #: former revisions, newest last
    #: The newest change does not follow on the one before it: what lies between was not seen. Events of a bucket stand for themselves.
    skipped: bool = False
    rollouts: tuple[str, ...] = ()  #: ids of the rollouts that the newest change started


def head_id(ref: str) -> str:
    return f"head.{digest('ref', ref)}"


def judge(head: Head, change: Change) -> Verdict:
    """Whether a change moves the ref on ("accept"), is the one that did ("again"), or is older than what the ref is at ("stale").

    Deliveries arrive out of order: the chain of before and after decides first, the time of the push where the chain has a gap.
    A push to a new commit that names the head as its predecessor is next whatever its clock says. Where the ref has been at a commit
    more than once (after a force-push, or a deletion) the chain fits old pushes too, so the time must agree: a force-push back to an
    old commit is followed, and what it took away does not return with a message that comes late or twice. A registry tells no
    predecessor, and a tag may be set back to what it was at: what is pushed there is ordered by time alone. Of a bucket nothing can be
    set back: what clusters fetch is what is in it now, so whatever is told of it is news, unless it was told before.
    """
    if change.id == head.change_id:
        return "again"
    if not head.change_id:
        return "accept"
    if change.revision == head.revision and not change.forced:
        return "stale"
    if is_bucket(change.source_kind):
        return "stale" if change.revision in head.lineage else "accept"
    head_pushed_at = head.pushed_at or change.pushed_at
    if change.source_kind == "oci":
        return "accept" if change.pushed_at > head_pushed_at else "stale"
    if change.before == head.revision and (_fits_once(head, change) or change.pushed_at >= head_pushed_at):
        return "accept"
    if change.revision in head.lineage and not change.forced:
        return "stale"
    return "accept" if change.pushed_at > head_pushed_at else "stale"


def _fits_once(head: Head, change: Change) -> bool:
    return bool(head.revision) and not head.forced and change.revision not in head.lineage


def move(head: Head, change: Change, now: datetime) -> Head:
    """The head after an accepted change. Also remembers `before`, which a late delivery may still bring."""
    of_bucket = is_bucket(change.source_kind)
    passed = (*head.lineage, *(r for r in (head.revision, change.before) if r and r not in head.lineage))
    return Head(
        id=head.id,
        source=head.source,
        revision=change.revision,
        sequence=max(head.sequence + 1, int(now.timestamp() * 1000)),
        # Whoever fetches a bucket for an event that came late must get the newest all the same.
        pushed_at=max(change.pushed_at, head.pushed_at or change.pushed_at) if of_bucket else change.pushed_at,
        change_id=change.id,
        forced=change.forced,
        lineage=tuple(r for r in passed if r != change.revision)[-_LINEAGE:],
        skipped=bool(head.change_id) and change.before != head.revision and not of_bucket,
        rollouts=head.rollouts,
    )
