"""Bitbucket Cloud webhooks (support.atlassian.com/bitbucket-cloud/docs/event-payloads)."""

from collections.abc import Iterator, Sequence

import msgspec

from shared.receivers import bitbucket_checks
from shared.receivers.inbound import Inbound, Outbound, Received, Sender
from shared.receivers.payloads import check_object, decode, required_headers
from shared.receivers.pushes import Move, RefName, Sha, changes_of
from shared.receivers.signing import hmac_of
from shared.receivers.verification import verify_hmac

_FOLDERS = {"branch": "refs/heads/", "tag": "refs/tags/"}


class _Author(msgspec.Struct):
    raw: str = ""  #: Name <e-mail address>


class _Commit(msgspec.Struct):
    author: _Author = msgspec.field(default_factory=_Author)


class _Target(msgspec.Struct):
    hash: Sha
    message: str = ""


class _State(msgspec.Struct):
    type: str
    name: RefName
    target: _Target


class _Change(msgspec.Struct):
    new: _State | None = None
    old: _State | None = None
    forced: bool = False
    commits: list[_Commit] = []
    truncated: bool = False


class _Changes(msgspec.Struct):
    changes: list[_Change]


class _Link(msgspec.Struct):
    href: str


class _Links(msgspec.Struct):
    html: _Link


class _Repository(msgspec.Struct):
    links: _Links


class _Actor(msgspec.Struct):
    nickname: str | None = None
    display_name: str | None = None


class _Push(msgspec.Struct):
    push: _Changes
    repository: _Repository
    actor: _Actor = msgspec.field(default_factory=_Actor)


_DECODER = msgspec.json.Decoder(_Push)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies X-Hub-Signature over the raw body: SHA-256 despite its name, and absent where the webhook has no secret."""
    verify_hmac(inbound.body, inbound.headers.get("x-hub-signature", ""), secrets, {"sha256=": "sha256"})
    event, delivery = required_headers(inbound, "X-Event-Key", "X-Request-UUID")
    if event != "repo:push":
        check_object(inbound.body)
        return Received(delivery=delivery, event=event, checks=bitbucket_checks.read(event, inbound.body, inbound.received_at))
    moves = _moves(decode(_DECODER, inbound.body))
    return Received(delivery=delivery, event=event, changes=changes_of(inbound, delivery, moves))


def _moves(push: _Push) -> Iterator[Move]:
    for change in push.push.changes:
        state = change.new or change.old
        if state and state.type in _FOLDERS:
            yield Move(
                url=push.repository.links.html.href,
                ref=_FOLDERS[state.type] + state.name,
                before=change.old.target.hash if change.old else "",
                after=change.new.target.hash if change.new else "",
                forced=change.forced,
                created=change.old is None,
                pusher=push.actor.nickname or push.actor.display_name or "",
                message=change.new.target.message if change.new else "",
                authors=[_name_and_address(commit.author.raw) for commit in change.commits],
                is_complete=not change.truncated,
            )


def _name_and_address(raw: str) -> tuple[str, str]:
    name, _, address = raw.partition("<")
    return name.strip(), address.strip("> ")


def sign(outbound: Outbound) -> dict[str, str]:
    return {
        "X-Event-Key": outbound.event,
        "X-Request-UUID": outbound.delivery,
        "X-Hub-Signature": f"sha256={hmac_of(outbound)}",
    }


SENDER = Sender(
    receive,
    sign,
    events=("repo:push", *bitbucket_checks.EVENTS),
    default_events=("repo:push",),
    check_events=frozenset(bitbucket_checks.EVENTS),
    options=frozenset({"compare"}),
)
