"""Events of buckets in S3's words: MinIO's webhook, and what else speaks so (docs.aws.amazon.com, S3: Event message structure), and
Amazon EventBridge's events of S3 (docs.aws.amazon.com, S3: EventBridge event message structure).

Nobody signs: MinIO sends its auth_token as `Authorization: Bearer` (github.com/minio/minio, webhook target), EventBridge's API
destinations a header of one's choice (docs.aws.amazon.com, EventBridge: Connections).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated
from urllib.parse import unquote_plus

import msgspec
from msgspec import Meta

from shared.domain.buckets import ObjectEvent, bucket_change, bucket_url
from shared.domain.changes import Change
from shared.domain.errors import Malformed, Refused
from shared.receivers.artifacts import verify_header
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.payloads import content_id, decode, invalid, time_of
from shared.receivers.signing import bearer

CREATED, REMOVED = "ObjectCreated", "ObjectRemoved"
_MAX_RECORDS = 1000
#: EventBridge's names of the two, by its detail-type.
_DETAIL_TYPES = {"Object Created": CREATED, "Object Deleted": REMOVED}

_Name = Annotated[str, Meta(min_length=1, max_length=63)]
_Key = Annotated[str, Meta(min_length=1, max_length=3 * 1024)]  #: 1024 bytes, each written as %xx at the most


class _Bucket(msgspec.Struct):
    name: _Name


class _Object(msgspec.Struct):
    key: _Key
    sequencer: Annotated[str, Meta(max_length=128)] = ""
    etag: str = ""  #: EventBridge
    e_tag: str = msgspec.field(name="eTag", default="")


class _S3(msgspec.Struct):
    bucket: _Bucket
    object: _Object


class _Record(msgspec.Struct, rename="camel"):
    event_name: Annotated[str, Meta(min_length=1, max_length=64)]  #: s3:ObjectCreated:Put; AWS leaves the s3: out
    s3: _S3
    event_time: str | None = None
    event_source: str = ""
    aws_region: str | None = None


class _Detail(msgspec.Struct):
    bucket: _Bucket
    object: _Object


class _Body(msgspec.Struct):
    """Either `Records`, or EventBridge's envelope."""

    records: Annotated[list[_Record], Meta(max_length=_MAX_RECORDS)] | None = msgspec.field(name="Records", default=None)
    detail_type: str = msgspec.field(name="detail-type", default="")
    id: Annotated[str, Meta(max_length=256)] = ""
    source: str = ""
    time: str | None = None
    region: str = ""
    detail: msgspec.Raw = msgspec.Raw(b"null")


_DECODER = msgspec.json.Decoder(_Body)
_DETAIL_DECODER = msgspec.json.Decoder(_Detail)

_Told = tuple[str, ObjectEvent]  #: URL of the bucket, and what happened in it


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies the header, then reads either form. What was written or removed is one change for each bucket."""
    verify_header(inbound, secrets)
    body = decode(_DECODER, inbound.body)
    if body.records is not None:
        return _from_records(inbound, body.records)
    if body.source == "aws.s3":
        return _from_event_bridge(inbound, body)
    raise Refused(400, "body-invalid: neither `Records` nor an event of aws.s3", explain=True)


def _from_records(inbound: Inbound, records: list[_Record]) -> Received:
    delivery = content_id(inbound.body)
    kinds = [_kind(record) for record in records]
    told = [_told(inbound, record) for record, kind in zip(records, kinds, strict=True) if kind in (CREATED, REMOVED)]
    event = next((kind for kind in (CREATED, REMOVED) if kind in kinds), kinds[0] if kinds else "none")
    return Received(delivery=delivery, event=event, changes=_changes(inbound, delivery, told))


def _from_event_bridge(inbound: Inbound, body: _Body) -> Received:
    delivery = body.id or content_id(inbound.body)
    event = _DETAIL_TYPES.get(body.detail_type)
    if event is None:
        return Received(delivery=delivery, event=body.detail_type[:64] or "none")
    detail = decode(_DETAIL_DECODER, body.detail)
    object_event = ObjectEvent(key=detail.object.key, sequencer=detail.object.sequencer, at=time_of(body.time), etag=detail.object.etag)
    url = bucket_url("bucket", inbound.url or _aws_host(body.region), detail.bucket.name)
    return Received(delivery=delivery, event=event, changes=_changes(inbound, delivery, [(url, object_event)]))


def _kind(record: _Record) -> str:
    """The first part of the event's name: ObjectCreated, ObjectRemoved, ObjectAccessed."""
    return record.event_name.removeprefix("s3:").partition(":")[0]


def _told(inbound: Inbound, record: _Record) -> _Told:
    """Keys are written as in a form: a blank is a plus."""
    item = record.s3.object
    event = ObjectEvent(key=unquote_plus(item.key), sequencer=item.sequencer, at=time_of(record.event_time), etag=item.e_tag)
    endpoint = inbound.url or (_aws_host(record.aws_region or "") if record.event_source == "aws:s3" else "")
    if not endpoint:
        raise Refused(400, "bucket-unknown: give the receiver the url that clusters have of this store", explain=True)
    return bucket_url("bucket", endpoint, record.s3.bucket.name), event


def _aws_host(region: str) -> str:
    """A bucket's name is one of a kind in its partition (docs.aws.amazon.com, S3: Bucket naming rules)."""
    return "s3.amazonaws.com.cn" if region.startswith("cn-") else "s3.amazonaws.com"


def _changes(inbound: Inbound, delivery: str, told: Iterable[_Told]) -> tuple[Change, ...]:
    by_bucket: dict[str, list[ObjectEvent]] = defaultdict(list)
    for url, event in told:
        by_bucket[url].append(event)
    try:
        return tuple(
            bucket_change(url, events, receiver=inbound.receiver, delivery=delivery, received_at=inbound.received_at)
            for url, events in by_bucket.items()
        )
    except Malformed as error:
        raise invalid(error) from None


SENDER = Sender(receive, bearer, events=(CREATED, REMOVED), options=frozenset({"header", "url"}))
