"""GitLab webhooks: project, group and system hooks (docs.gitlab.com, user/project/integrations/webhook_events; system_hooks)."""

from collections.abc import Sequence

import msgspec

from shared.receivers import gitlab_checks
from shared.receivers.inbound import Inbound, Outbound, Received, Sender
from shared.receivers.payloads import check_object, content_id, decode, required_headers
from shared.receivers.pushes import Move, Ref, Sha, changes_of
from shared.receivers.signing import standard_webhooks
from shared.receivers.verification import verify_standard_webhooks, verify_token

_PUSHES = ("Push Hook", "Tag Push Hook")
_SYSTEM = "System Hook"  #: says in its body what happened


class _Author(msgspec.Struct):
    name: str = ""
    email: str = ""


class _Commit(msgspec.Struct):
    id: str
    message: str = ""
    author: _Author = msgspec.field(default_factory=_Author)
    added: list[str] | None = None
    modified: list[str] | None = None
    removed: list[str] | None = None


class _Project(msgspec.Struct):
    git_http_url: str


class _Push(msgspec.Struct):
    ref: Ref
    before: Sha
    after: Sha
    project: _Project
    checkout_sha: Sha | None = None
    commits: list[_Commit] = []
    total_commits_count: int = 0
    user_username: str | None = None
    user_name: str | None = None


class _Event(msgspec.Struct):
    event_name: str


_PUSH = msgspec.json.Decoder(_Push)
_EVENT = msgspec.json.Decoder(_Event)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies the signature, or X-Gitlab-Token, then reads the event."""
    delivery = _verify(inbound, secrets)
    (event,) = required_headers(inbound, "X-Gitlab-Event")
    if not _is_push(event, inbound.body):
        check_object(inbound.body)
        return Received(delivery=delivery, event=event, checks=gitlab_checks.read(event, inbound.body, inbound.received_at))
    move = _move(decode(_PUSH, inbound.body))
    return Received(delivery=delivery, event=event, changes=changes_of(inbound, delivery, [move]))


def _verify(inbound: Inbound, secrets: Sequence[str]) -> str:
    """The delivery's id. Where there is a signature nothing else counts: who can drop it from a request could else do without.

    The signing token signs as Standard Webhooks do; webhook-id is then the Idempotency-Key. GitLab before 17.4 sends neither: there
    the body, which a retry repeats, is its own id.
    """
    if "webhook-signature" in inbound.headers:
        return verify_standard_webhooks(inbound, secrets)
    verify_token(inbound.headers.get("x-gitlab-token", ""), secrets)
    return inbound.headers.get("idempotency-key") or content_id(inbound.body)


def _is_push(event: str, body: bytes) -> bool:
    return event in _PUSHES or (event == _SYSTEM and decode(_EVENT, body).event_name in {"push", "tag_push"})


def _move(push: _Push) -> Move:
    newest = next((commit for commit in reversed(push.commits) if commit.id == push.checkout_sha), None)
    return Move(
        url=push.project.git_http_url,
        ref=push.ref,
        before=push.before,
        after=push.after,
        # `after` of an annotated tag is the tag object; checkout_sha is the commit.
        commit=push.checkout_sha or "",
        pusher=push.user_username or push.user_name or "",
        message=newest.message if newest else "",
        authors=[(commit.author.name, commit.author.email) for commit in push.commits],
        files=[files for commit in push.commits for files in (commit.added, commit.modified, commit.removed)],
        is_complete=push.total_commits_count == len(push.commits),  # no more than the newest 20 are listed
    )


def sign(outbound: Outbound) -> dict[str, str]:
    """With a signing token the signature, with any other secret that secret."""
    is_token = outbound.secret.startswith("whsec_")
    proof = standard_webhooks(outbound) if is_token else {"X-Gitlab-Token": outbound.secret}
    return {"X-Gitlab-Event": outbound.event, "Idempotency-Key": outbound.delivery, **proof}


SENDER = Sender(
    receive,
    sign,
    events=(*_PUSHES, _SYSTEM, *gitlab_checks.EVENTS),
    default_events=_PUSHES,
    check_events=frozenset(gitlab_checks.EVENTS),
    options=frozenset({"compare"}),
)
