"""GitHub webhooks: repository, organisation and GitHub App hooks (docs.github.com/webhooks/webhook-events-and-payloads)."""

from collections.abc import Sequence
from urllib.parse import parse_qs

import msgspec

from shared.domain.errors import Refused
from shared.receivers import ghcr, github_checks
from shared.receivers.inbound import Inbound, Outbound, Received, Sender
from shared.receivers.payloads import check_object, decode, required_headers, time_of
from shared.receivers.pushes import Move, Ref, Sha, changes_of
from shared.receivers.signing import hmac_of
from shared.receivers.verification import verify_hmac

_MAX_COMMITS = 2048  #: GitHub lists no more commits than this, so a list of this length may be cut
_MAX_FILES = 3000  #: and no more files a commit
#: Gitea, Forgejo and Gogs send GitHub's headers beside their own, and mean other things by the same fields.
_FOREIGN = ("x-forgejo-event", "x-gitea-event", "x-gogs-event")


class _Author(msgspec.Struct):
    name: str | None = None
    email: str | None = None


class _Commit(msgspec.Struct):
    added: list[str] = []
    modified: list[str] = []
    removed: list[str] = []
    author: _Author = msgspec.field(default_factory=_Author)


class _HeadCommit(msgspec.Struct):
    id: Sha
    message: str = ""


class _Repository(msgspec.Struct):
    clone_url: str
    pushed_at: int | str | None = None


class _Pusher(msgspec.Struct):
    name: str = ""


class _Push(msgspec.Struct):
    ref: Ref
    before: Sha
    after: Sha
    repository: _Repository
    commits: list[_Commit] = []
    head_commit: _HeadCommit | None = None
    pusher: _Pusher = msgspec.field(default_factory=_Pusher)
    created: bool = False
    deleted: bool = False
    forced: bool = False


_DECODER = msgspec.json.Decoder(_Push)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies X-Hub-Signature-256 over the raw body, then reads the event. A push carries a change, of a package as of a branch; some
    events tell of checks.

    The delivery id is not covered by the signature: that a replay under another id moves nothing is the ledger's work.
    """
    verify_hmac(inbound.body, inbound.headers.get("x-hub-signature-256", ""), secrets, {"sha256=": "sha256"})
    if any(name in inbound.headers for name in _FOREIGN):
        raise Refused(400, "sender-other: this is Gitea or one of its kin; give the receiver the type gitea", explain=True)
    event, delivery = required_headers(inbound, "X-GitHub-Event", "X-GitHub-Delivery")
    payload = _payload(inbound)
    if event in ghcr.EVENTS:
        return Received(delivery=delivery, event=event, changes=ghcr.pushed(inbound, delivery, payload))
    if event != "push":
        check_object(payload)
        return Received(delivery=delivery, event=event, checks=github_checks.read(event, payload, inbound.received_at))
    return Received(delivery=delivery, event=event, changes=changes_of(inbound, delivery, [_move(decode(_DECODER, payload))]))


def _payload(inbound: Inbound) -> bytes:
    """The JSON, also where the hook's content type is application/x-www-form-urlencoded."""
    if inbound.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return inbound.body
    try:
        return parse_qs(inbound.body.decode(), strict_parsing=True, max_num_fields=4)["payload"][0].encode()
    except (ValueError, KeyError):
        raise Refused(400, "form-invalid: the form needs one field named payload", explain=True) from None


def _move(push: _Push) -> Move:
    newest = push.head_commit
    return Move(
        url=push.repository.clone_url,
        ref=push.ref,
        before=push.before,
        after="" if push.deleted else push.after,
        # `after` of an annotated tag is the tag object; the commit that Flux will report is the head commit.
        commit=newest.id if newest and push.ref.startswith("refs/tags/") else "",
        forced=push.forced,
        created=push.created,
        pushed_at=time_of(push.repository.pushed_at),
        pusher=push.pusher.name,
        message=newest.message if newest else "",
        authors=[(commit.author.name, commit.author.email) for commit in push.commits],
        files=[_uncut(files) for commit in push.commits for files in (commit.added, commit.modified, commit.removed)],
        is_complete=len(push.commits) < _MAX_COMMITS,
    )


def _uncut(files: list[str]) -> list[str] | None:
    return files if len(files) < _MAX_FILES else None


def sign(outbound: Outbound) -> dict[str, str]:
    """A hook of content type application/json, or where the body is a form, of that."""
    is_form = outbound.body.startswith(b"payload=")
    return {
        "Content-Type": f"application/{'x-www-form-urlencoded' if is_form else 'json'}",
        "X-GitHub-Event": outbound.event,
        "X-GitHub-Delivery": outbound.delivery,
        "X-Hub-Signature-256": f"sha256={hmac_of(outbound)}",
    }


SENDER = Sender(
    receive,
    sign,
    events=("push", "ping", "create", "delete", *ghcr.EVENTS, *github_checks.EVENTS),
    default_events=("push", "ping"),
    check_events=frozenset(github_checks.EVENTS),
    options=frozenset({"compare"}),
)
