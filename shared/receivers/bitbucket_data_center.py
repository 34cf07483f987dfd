"""Bitbucket Data Center webhooks (confluence.atlassian.com/bitbucketserver/event-payload-938025882.html)."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from shared.domain.errors import Refused
from shared.domain.sources import canonical_url
from shared.receivers.inbound import Inbound, Outbound, Received, Sender
from shared.receivers.payloads import check_object, decode, required_headers, time_of
from shared.receivers.pushes import Move, Ref, Sha, changes_of
from shared.receivers.signing import hmac_of
from shared.receivers.verification import verify_basic_auth, verify_hmac

_MAX_COMMITS = 5  #: listed by default


class _Camel(msgspec.Struct, rename="camel"):
    """Base of the parts of a payload."""


class _Person(_Camel):
    name: str = ""
    email_address: str = ""


class _Commit(_Camel):
    id: str = ""
    message: str = ""
    author: _Person = msgspec.field(default_factory=_Person)


class _Change(_Camel):
    ref_id: Ref
    from_hash: Sha
    to_hash: Sha


class _Link(_Camel):
    href: str


class _Links(_Camel):
    clone: list[_Link] = []


class _Project(_Camel):
    key: str


class _Repository(_Camel):
    slug: str
    project: _Project
    links: _Links = msgspec.field(default_factory=_Links)


class _Push(_Camel):
    repository: _Repository
    changes: list[_Change]
    date: str = ""
    actor: _Person = msgspec.field(default_factory=_Person)
    to_commit: _Commit | None = None
    commits: list[_Commit] = []


_DECODER = msgspec.json.Decoder(_Push)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies X-Hub-Signature (SHA-256 over the raw body) or, only where there is none, HTTP basic authentication."""
    if "x-hub-signature" in inbound.headers:
        verify_hmac(inbound.body, inbound.headers["x-hub-signature"], secrets, {"sha256=": "sha256"})
    else:
        verify_basic_auth(inbound.headers.get("authorization", ""), secrets)
    event, delivery = required_headers(inbound, "X-Event-Key", "X-Request-Id")
    if event != "repo:refs_changed":
        check_object(inbound.body)
        return Received(delivery=delivery, event=event)
    moves = _moves(decode(_DECODER, inbound.body), inbound.url)
    return Received(delivery=delivery, event=event, changes=changes_of(inbound, delivery, moves))


def _moves(push: _Push, url: str) -> Iterator[Move]:
    """One for each ref and address: nothing says that .../scm/project/repository over https is project/repository over ssh."""
    addresses = {canonical_url(address): address for address in _addresses(push.repository, url)}
    is_single = len(push.changes) == 1  # the commits of several refs are listed together
    newest = push.to_commit if is_single else None
    for change in push.changes:
        for address in addresses.values():
            yield Move(
                url=address,
                ref=change.ref_id,
                before=change.from_hash,
                after=change.to_hash,
                # toHash of an annotated tag is the tag object; toCommit is the commit.
                commit=newest.id if newest and change.ref_id.startswith("refs/tags/") else "",
                pushed_at=time_of(push.date),
                pusher=push.actor.name,
                message=newest.message if newest else "",
                authors=[(commit.author.name, commit.author.email_address) for commit in push.commits],
                is_complete=is_single and len(push.commits) < _MAX_COMMITS,
            )


def _addresses(repository: _Repository, url: str) -> list[str]:
    """Its clone links; not every version sends them, so else what they would be below the receiver's `url`. Raises Refused 400."""
    if repository.links.clone:
        return [link.href for link in repository.links.clone]
    if not url:
        raise Refused(400, "repository-unknown: the payload has no clone links; give the receiver the url of this Bitbucket", explain=True)
    path = f"{repository.project.key}/{repository.slug}.git"
    return [f"{url.rstrip('/')}/scm/{path}", f"ssh://git@{urlsplit(url).hostname}/{path}"]


def sign(outbound: Outbound) -> dict[str, str]:
    return {
        "X-Event-Key": outbound.event,
        "X-Request-Id": outbound.delivery,
        "X-Hub-Signature": f"sha256={hmac_of(outbound)}",
    }


SENDER = Sender(
    receive,
    sign,
    events=("repo:refs_changed", "diagnostics:ping"),
    options=frozenset({"url", "compare"}),
    required=frozenset({"compare.url"}),
)
