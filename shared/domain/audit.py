"""The audit trail: records chained by their hashes, so that a changed, removed or inserted one shows."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256

import msgspec

from shared.domain.record import Record

GENESIS = "0" * 64


class Entry(Record, frozen=True):
    """Who or what did what to which resource, and the event that caused it."""

    id: str  #: the same for every retry of the same act
    stream: str
    at: datetime
    actor: str  #: "sluice", or who asked
    action: str  #: for example "change.accepted", "update.applied"
    resource: str
    cause: str  #: id of the delivery, change or rollout behind it
    detail: dict[str, str] = {}
    subscription: str = ""  #: whose data key seals it; "" = the fleet's


class Link(Record, frozen=True):
    """An entry in its chain. `entry` is None where its data key was destroyed: the chain still verifies without it."""

    stream: str
    number: int
    entry_id: str
    at: datetime
    content_hash: str  #: of the salt and the entry
    salt: str
    previous: str
    hash: str
    entry: Entry | None


def content_hash(salt: str, entry: Entry) -> str:
    """The salt keeps a short entry from being guessed from its hash once its key is destroyed."""
    return sha256(salt.encode() + msgspec.json.encode(entry, order="sorted")).hexdigest()


def link_hash(stream: str, number: int, entry_id: str, at: datetime, content: str, previous: str) -> str:
    parts = (previous, stream, str(number), entry_id, at.isoformat(), content)
    return sha256("\n".join(parts).encode()).hexdigest()


def make_link(previous: Link | None, entry: Entry, salt: str) -> Link:
    """The next link of the entry's stream."""
    number, before = (previous.number + 1, previous.hash) if previous else (1, GENESIS)
    content = content_hash(salt, entry)
    return Link(
        stream=entry.stream,
        number=number,
        entry_id=entry.id,
        at=entry.at,
        content_hash=content,
        salt=salt,
        previous=before,
        hash=link_hash(entry.stream, number, entry.id, entry.at, content, before),
        entry=entry,
    )


def _is_content_of(link: Link, entry: Entry) -> bool:
    """What stands clear beside a sealed entry must be the entry's own: whoever can write the database can make hashes fit."""
    clear = (link.stream, link.entry_id, link.at)
    return content_hash(link.salt, entry) == link.content_hash and clear == (entry.stream, entry.id, entry.at)


def verify(links: Iterable[Link]) -> Iterator[str]:
    """What is wrong with a trail, one sentence a finding; nothing when it is whole. Links come in order, stream by stream.

    Records cut off the end of a stream leave no gap and are not found by this.
    """
    previous: Link | None = None
    for link in links:
        if previous is None or previous.stream != link.stream:
            previous = None
        number, before = (previous.number + 1, previous.hash) if previous else (1, GENESIS)
        where = f"stream {link.stream}, record {link.number}"
        if link.number != number:
            yield f"{where}: record {number} is missing"
        elif link.previous != before:
            yield f"{where}: does not follow the record before it"
        if link.hash != link_hash(link.stream, link.number, link.entry_id, link.at, link.content_hash, link.previous):
            yield f"{where}: its hash does not fit what it holds"
        if link.entry is not None and not _is_content_of(link, link.entry):
            yield f"{where}: its content was changed"
        previous = link
