"""Gitea and Forgejo webhooks (docs.gitea.com/usage/webhooks, forgejo.org/docs/latest/user/webhooks)."""

from collections.abc import Sequence

import msgspec

from shared.receivers import gitea_checks
from shared.receivers.inbound import Inbound, Outbound, Received, Sender
from shared.receivers.payloads import check_object, decode, required_headers
from shared.receivers.pushes import Move, Ref, RefName, Sha, changes_of
from shared.receivers.signing import hmac_of
from shared.receivers.verification import verify_hmac


class _Author(msgspec.Struct):
    name: str = ""
    email: str = ""


class _Commit(msgspec.Struct):
    id: Sha
    message: str = ""
    author: _Author = msgspec.field(default_factory=_Author)
    added: list[str] | None = None
    modified: list[str] | None = None
    removed: list[str] | None = None


class _Repository(msgspec.Struct):
    clone_url: str


class _User(msgspec.Struct):
    login: str = ""


class _Push(msgspec.Struct):
    ref: Ref
    before: Sha
    after: Sha
    repository: _Repository
    commits: list[_Commit] | None = None
    total_commits: int | None = None
    head_commit: _Commit | None = None
    pusher: _User = msgspec.field(default_factory=_User)


class _Delete(msgspec.Struct):
    ref: RefName
    ref_type: str
    repository: _Repository
    sender: _User = msgspec.field(default_factory=_User)


_PUSH = msgspec.json.Decoder(_Push)
_DELETE = msgspec.json.Decoder(_Delete)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies Forgejo's signature where there is one, else Gitea's, over the raw body; the two send each other's and GitHub's headers too.

    Without a secret they send empty signatures, which are refused.
    """
    kind = "Forgejo" if "x-forgejo-signature" in inbound.headers else "Gitea"
    verify_hmac(inbound.body, inbound.headers.get(f"x-{kind.lower()}-signature", ""), secrets, {"": "sha256"})
    event, delivery = required_headers(inbound, f"X-{kind}-Event", f"X-{kind}-Delivery")
    if event == "push":
        moves = [_pushed(decode(_PUSH, inbound.body))]
    elif event == "delete":
        moves = _deleted(decode(_DELETE, inbound.body))
    else:
        check_object(inbound.body)
        return Received(delivery=delivery, event=event, checks=gitea_checks.read(event, inbound.body, inbound.received_at))
    return Received(delivery=delivery, event=event, changes=changes_of(inbound, delivery, moves))


def _pushed(push: _Push) -> Move:
    newest = push.head_commit
    commits = push.commits or []
    return Move(
        url=push.repository.clone_url,
        ref=push.ref,
        before=push.before,
        after=push.after,
        # `after` of an annotated tag is the tag object; the commit that Flux will report is the head commit.
        commit=newest.id if newest and push.ref.startswith("refs/tags/") else "",
        pusher=push.pusher.login,
        message=newest.message if newest else "",
        authors=[(commit.author.name, commit.author.email) for commit in commits],
        files=[files for commit in commits for files in (commit.added, commit.modified, commit.removed)],
        is_complete=push.total_commits == len(commits),  # FEED_MAX_COMMIT_NUM are listed: 5, if the administrator does not say otherwise
    )


def _deleted(deletion: _Delete) -> list[Move]:
    """A deleted branch is told by this event only; a deleted tag by a push too, so that one is left to the push."""
    if deletion.ref_type != "branch":
        return []
    url, ref = deletion.repository.clone_url, f"refs/heads/{deletion.ref}"
    return [Move(url=url, ref=ref, before="", after="", pusher=deletion.sender.login)]


def sign(outbound: Outbound) -> dict[str, str]:
    """As Gitea does, which Forgejo's receivers take too."""
    return {
        "X-Gitea-Event": outbound.event,
        "X-Gitea-Delivery": outbound.delivery,
        "X-Gitea-Signature": hmac_of(outbound),
    }


SENDER = Sender(
    receive,
    sign,
    events=("push", "delete", "create", *gitea_checks.EVENTS),
    default_events=("push", "delete"),
    check_events=frozenset(gitea_checks.EVENTS),
    options=frozenset({"compare"}),
    required=frozenset({"compare.url"}),
)
