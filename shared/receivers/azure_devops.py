"""Azure DevOps service hooks, consumer Web Hooks (learn.microsoft.com/azure/devops/service-hooks/events)."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.receivers import azure_pipelines
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.payloads import decode, time_of
from shared.receivers.pushes import Move, Ref, Sha, changes_of
from shared.receivers.signing import basic_auth
from shared.receivers.verification import verify_basic_auth, verify_token


class _Camel(msgspec.Struct, rename="camel"):
    """Base of the parts of a payload."""


class _Author(_Camel):
    name: str | None = None
    email: str | None = None


class _Commit(_Camel):
    commit_id: str
    comment: str = ""
    author: _Author = msgspec.field(default_factory=_Author)


class _RefUpdate(_Camel):
    name: Ref
    old_object_id: Sha
    new_object_id: Sha


class _Repository(_Camel):
    remote_url: str


class _Identity(_Camel):
    unique_name: str | None = None
    display_name: str | None = None


class _Push(_Camel):
    ref_updates: list[_RefUpdate]
    repository: _Repository
    commits: list[_Commit] = []
    pushed_by: _Identity = msgspec.field(default_factory=_Identity)
    date: str | None = None


class _Event(_Camel):
    id: Annotated[str, Meta(min_length=1, max_length=256)]
    event_type: str
    resource: msgspec.Raw = msgspec.Raw(b"null")
    created_date: str | None = None


_EVENT = msgspec.json.Decoder(_Event)
_PUSH = msgspec.json.Decoder(_Push)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies the header of the receiver's choice, or HTTP basic authentication: Azure DevOps does not sign.

    What happened stands in the body only, so everything but the proof is read after it.
    """
    if inbound.header:
        verify_token(inbound.headers.get(inbound.header, ""), secrets)
    else:
        verify_basic_auth(inbound.headers.get("authorization", ""), secrets)
    event = decode(_EVENT, inbound.body)
    resource = bytes(event.resource)
    if event.event_type != "git.push":
        checks = azure_pipelines.read(event.event_type, resource, event.created_date, inbound.received_at)
        return Received(delivery=event.id, event=event.event_type, checks=checks)
    moves = _moves(decode(_PUSH, resource))
    return Received(delivery=event.id, event=event.event_type, changes=changes_of(inbound, event.id, moves))


def _moves(push: _Push) -> Iterator[Move]:
    messages = {commit.commit_id: commit.comment for commit in push.commits}
    for update in push.ref_updates:
        yield Move(
            url=push.repository.remote_url,
            ref=update.name,
            before=update.old_object_id,
            after=update.new_object_id,
            pushed_at=time_of(push.date),
            pusher=push.pushed_by.unique_name or push.pushed_by.display_name or "",
            message=messages.get(update.new_object_id, ""),
            authors=[(commit.author.name, commit.author.email) for commit in push.commits],
            # How many commits there were is not told. One alone, and the newest, is no list that was cut.
            is_complete=list(messages) == [update.new_object_id],
        )


SENDER = Sender(
    receive,
    basic_auth,
    events=("git.push", *azure_pipelines.EVENTS),
    default_events=("git.push",),
    check_events=frozenset(azure_pipelines.EVENTS),
    options=frozenset({"header", "compare"}),
)
