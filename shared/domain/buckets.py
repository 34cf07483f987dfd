"""Buckets and blob containers as sources: which one an event is about, and the change that it makes of it.

Nothing in Azure names what is in a bucket: Flux's revision of it is a digest over all of its objects (fluxcd.io, Bucket: a list of keys
and ETags), which no event tells. So a change of a bucket is the fact that something in it is new, and what is to be reached is that a
cluster has fetched it since.
"""

from collections.abc import Iterable
from datetime import datetime

from shared.domain.changes import Change, change_id
from shared.domain.errors import Malformed
from shared.domain.record import Record, digest
from shared.domain.sources import BucketType, canonical_url, is_bucket, source_id, source_type

#: A bucket has no refs: all that it is at is what is in it now.
NO_REF = ""
_MAX_PATHS_LENGTH = 200_000  #: characters; an event of more objects is taken to be about every one, so that its document stays small


class ObjectEvent(Record, frozen=True):
    """An object, or a blob, was written or removed."""

    key: str  #: its name within the bucket, decoded: clusters/edge/kustomization.yaml
    sequencer: str = ""  #: orders the events of one object; "" where the sender tells none
    at: datetime | None = None  #: by the sender's clock
    etag: str = ""


def bucket_url(kind: BucketType, endpoint: str, name: str) -> str:
    """A bucket's URL as a route writes it, from what Azure or an event tells: `https://minio.example.com:9000` and `fleet` are
    `bucket://minio.example.com:9000/fleet`.
    """
    return f"{kind}://{endpoint.rpartition('://')[2].strip('/')}/{name}"


def is_later(one: ObjectEvent, other: ObjectEvent) -> bool:
    """Whether `one` came after `other`, of the same object.

    Sequencers are compared as text, the shorter one filled up with zeros (docs.aws.amazon.com, S3 event message structure); Azure's
    are of one length, so that the same holds for them (learn.microsoft.com, Event Grid: Blob Storage event schema). Where one is
    missing the times decide.
    """
    if one.sequencer and other.sequencer:
        width = max(len(one.sequencer), len(other.sequencer))
        return one.sequencer.ljust(width, "0") > other.sequencer.ljust(width, "0")
    return one.at is not None and (other.at is None or one.at > other.at)


def newest_of_each(events: Iterable[ObjectEvent]) -> list[ObjectEvent]:
    """The last event of each object, by its key."""
    newest: dict[str, ObjectEvent] = {}
    for event in events:
        known = newest.get(event.key)
        if known is None or is_later(event, known):
            newest[event.key] = event
    return [newest[key] for key in sorted(newest)]


def bucket_change(url: str, events: Iterable[ObjectEvent], *, receiver: str, delivery: str, received_at: datetime) -> Change:
    """The change that events of one bucket are. `url` is as `bucket_url` makes it. Raises Malformed for another one.

    Its revision stands for the events themselves: the same ones, told a second time under another delivery, have it again. Its time is
    that of the last event, but never later than when we heard of it: clusters are asked to have fetched the bucket since.
    """
    objects = newest_of_each(events)
    kind = source_type(url)
    if not is_bucket(kind):
        raise Malformed("not the URL of a bucket or a blob container")
    told = [event.at for event in objects if event.at is not None]
    keys = tuple(event.key for event in objects)
    return Change(
        id=change_id(receiver, delivery, url, NO_REF),
        source=source_id(url),
        source_kind=kind,
        url=canonical_url(url),
        ref=NO_REF,
        kind="updated",
        before="",
        revision=digest("objects", *(part for event in objects for part in _identity(event))),
        forced=False,
        pushed_at=min(max(told, default=received_at), received_at),
        received_at=received_at,
        receiver=receiver,
        delivery=delivery,
        paths=keys if keys and sum(map(len, keys)) <= _MAX_PATHS_LENGTH else None,
        author="",
        title="",
    )


def _identity(event: ObjectEvent) -> tuple[str, str]:
    moment = event.sequencer or (event.at.isoformat() if event.at else event.etag)
    return event.key, moment
