"""GitHub webhooks: repository, organisation and GitHub App hooks (docs.github.com/webhooks/webhook-events-and-payloads)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from shared.domain.changes import Change, ChangeKind, change_id
from shared.domain.errors import Malformed, Refused
from shared.domain.revisions import is_no_commit
from shared.domain.sources import canonical_url, source_id
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.verification import verify_hmac

_MAX_COMMITS = 2048  #: GitHub lists no more commits than this, so a list of this length may be cut
_MAX_FILES = 3000  #: and no more files a commit
_MAX_TITLE = 200
_MAX_PATHS_LENGTH = 200_000  #: characters; a push that touches more is taken to touch everything, so that its document stays small


_Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?\Z")]
_Ref = Annotated[str, Meta(pattern=r"^refs/", max_length=1024)]


class _Commit(msgspec.Struct):
    added: list[str] = []
    modified: list[str] = []
    removed: list[str] = []


class _HeadCommit(msgspec.Struct):
    id: _Sha
    message: str = ""


class _Repository(msgspec.Struct):
    clone_url: str
    pushed_at: int | str | None = None


class _Pusher(msgspec.Struct):
    name: str = ""


class _Push(msgspec.Struct):
    ref: _Ref
    before: _Sha
    after: _Sha
    repository: _Repository
    commits: list[_Commit] = []
    head_commit: _HeadCommit | None = None
    pusher: _Pusher = msgspec.field(default_factory=_Pusher)
    created: bool = False
    deleted: bool = False
    forced: bool = False


_DECODER = msgspec.json.Decoder(_Push)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies X-Hub-Signature-256 over the raw body, then reads the event. Only a push carries a change.

    The delivery id is not covered by the signature: that a replay under another id moves nothing is the ledger's work.
    """
    verify_hmac(inbound.body, inbound.headers.get("x-hub-signature-256", ""), secrets, {"sha256=": "sha256"})
    event = inbound.headers.get("x-github-event", "")
    delivery = inbound.headers.get("x-github-delivery", "")
    if not event or not delivery:
        raise Refused(400, "headers-missing: X-GitHub-Event and X-GitHub-Delivery are required", explain=True)
    changes = (_push(inbound, delivery),) if event == "push" else ()
    if not changes:
        _check_json(_payload(inbound))
    return Received(delivery=delivery, event=event, changes=changes)


def _payload(inbound: Inbound) -> bytes:
    """The JSON, also where the hook's content type is application/x-www-form-urlencoded."""
    if inbound.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return inbound.body
    try:
        return parse_qs(inbound.body.decode(), strict_parsing=True, max_num_fields=4)["payload"][0].encode()
    except (ValueError, KeyError):
        raise Refused(400, "form-invalid: the form needs one field named payload", explain=True) from None


def _check_json(payload: bytes) -> None:
    try:
        msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "body-invalid: not a JSON object", explain=True) from None


def _push(inbound: Inbound, delivery: str) -> Change:
    try:
        push = _DECODER.decode(_payload(inbound))
        url = canonical_url(push.repository.clone_url)
        source = source_id(push.repository.clone_url)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Malformed) as error:
        raise Refused(400, f"body-invalid: {_where(error)}", explain=True) from None
    newest = push.head_commit
    deleted = push.deleted or is_no_commit(push.after)
    return Change(
        id=change_id(inbound.receiver, delivery, push.repository.clone_url, push.ref),
        source=source,
        url=url,
        ref=push.ref,
        kind=_kind(push, deleted=deleted),
        before="" if is_no_commit(push.before) else push.before,
        # `after` of an annotated tag is the tag object; the commit that Flux will report is the head commit.
        revision="" if deleted else (newest.id if newest and push.ref.startswith("refs/tags/") else push.after),
        forced=push.forced,
        pushed_at=_time(push.repository.pushed_at) or inbound.received_at,
        received_at=inbound.received_at,
        receiver=inbound.receiver,
        delivery=delivery,
        paths=_paths(push),
        author=push.pusher.name,
        title=newest.message.partition("\n")[0][:_MAX_TITLE] if newest else "",
    )


def _where(error: Exception) -> str:
    """Msgspec names types and field paths of our own schema, never the sender's text."""
    return str(error) if isinstance(error, msgspec.ValidationError | Malformed) else "not valid JSON"


def _kind(push: _Push, *, deleted: bool) -> ChangeKind:
    if deleted:
        return "deleted"
    return "created" if push.created or is_no_commit(push.before) else "updated"


def _time(pushed_at: int | str | None) -> datetime | None:
    """Unix seconds in push events; the API's ISO 8601 elsewhere."""
    try:
        if isinstance(pushed_at, int):
            return datetime.fromtimestamp(pushed_at, UTC)
        told = datetime.fromisoformat(pushed_at) if pushed_at else None
        return told and (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _paths(push: _Push) -> tuple[str, ...] | None:
    """Every file that the push touched, or None where the payload cannot tell: a force-push also takes files away that no commit lists."""
    if push.forced or push.created or not push.commits or len(push.commits) >= _MAX_COMMITS:
        return None
    lists = [files for commit in push.commits for files in (commit.added, commit.modified, commit.removed)]
    if any(len(files) >= _MAX_FILES for files in lists):
        return None
    paths = tuple(sorted({file for files in lists for file in files}))
    return paths if sum(map(len, paths)) <= _MAX_PATHS_LENGTH else None


SENDER = Sender(receive, events=("push", "ping", "create", "delete"), default_events=("push", "ping"))
