"""What a Git host tells of a push, and the changes that it is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated

from msgspec import Meta

from shared.domain.changes import Change, ChangeKind, change_id
from shared.domain.errors import Malformed
from shared.domain.record import Record
from shared.domain.revisions import is_no_commit
from shared.domain.sources import canonical_url, source_id
from shared.receivers.inbound import Inbound
from shared.receivers.payloads import invalid

_MAX_TEXT = 200  #: characters of a title or a name that people are shown
_MAX_PATHS_LENGTH = 200_000  #: characters; a push that touches more is taken to touch everything, so that its document stays small

Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?\Z")]
Ref = Annotated[str, Meta(pattern=r"^refs/", max_length=1024)]
RefName = Annotated[str, Meta(min_length=1, max_length=1024)]  #: without refs/heads/ or refs/tags/


class Move(Record, frozen=True):
    """A ref that moved."""

    url: str  #: of the repository, in any spelling
    ref: str  #: full name
    before: str  #: zeros or "" where there was none
    after: str  #: zeros or "" where there is none any more
    commit: str = ""  #: that Flux will report, where `after` may be a tag object; "" = `after`
    forced: bool = False
    created: bool = False
    pushed_at: datetime | None = None  #: by the host's clock; None where it does not tell
    pusher: str = ""
    message: str = ""  #: of the newest commit
    authors: Sequence[tuple[str | None, str | None]] = ()  #: name and e-mail address of each commit's
    files: Sequence[Sequence[str] | None] = ()  #: lists of what the commits touched; None stands for one that is missing or cut
    is_complete: bool = False  #: no commit of the push is left out


def changes_of(inbound: Inbound, delivery: str, moves: Iterable[Move]) -> tuple[Change, ...]:
    """One change a ref. A ref that is where it was (a host's test delivery may say so) is none. Raises Refused 400."""
    try:
        return tuple(_change(inbound, delivery, move) for move in moves if is_no_commit(move.after) or move.before != move.after)
    except Malformed as error:
        raise invalid(error) from None


def _change(inbound: Inbound, delivery: str, move: Move) -> Change:
    deleted = is_no_commit(move.after)
    return Change(
        id=change_id(inbound.receiver, delivery, move.url, move.ref),
        source=source_id(move.url),
        url=canonical_url(move.url),
        ref=move.ref,
        kind=_kind(move),
        before="" if is_no_commit(move.before) else move.before,
        revision="" if deleted else move.commit or move.after,
        forced=move.forced,
        pushed_at=move.pushed_at or inbound.received_at,
        received_at=inbound.received_at,
        receiver=inbound.receiver,
        delivery=delivery,
        paths=_paths(move),
        author=move.pusher[:_MAX_TEXT],
        title=move.message.partition("\n")[0][:_MAX_TEXT],
        automated=_is_automated(move, inbound.automation_authors),
    )


def _kind(move: Move) -> ChangeKind:
    if is_no_commit(move.after):
        return "deleted"
    return "created" if move.created or (move.before and is_no_commit(move.before)) else "updated"


def _paths(move: Move) -> tuple[str, ...] | None:
    """Every file that the push touched, or None where the payload cannot tell: a force-push also takes files away that no commit lists."""
    if not move.is_complete or not move.files or None in move.files or move.forced or _kind(move) != "updated":
        return None
    paths = tuple(sorted({file for files in move.files if files for file in files}))
    return paths if sum(map(len, paths)) <= _MAX_PATHS_LENGTH else None


def _is_automated(move: Move, automation: Sequence[str]) -> bool:
    """Whether automation wrote every commit of the push. Authors are what the commits say, and prove nothing."""
    return move.is_complete and bool(move.authors) and all(_is_any(author, automation) for author in move.authors)


def _is_any(author: tuple[str | None, str | None], automation: Sequence[str]) -> bool:
    names = [name.lower() for name in author if name]
    # Equality too: the brackets of `renovate[bot]` would be a pattern.
    return any(name == known.lower() or fnmatchcase(name, known.lower()) for name in names for known in automation)
