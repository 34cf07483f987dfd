"""Buckets and blob containers: which one an event is about, which of several events is the last, and the change that they are."""

from itertools import permutations

import pytest
from builders import NOW, at

from shared.domain.buckets import ObjectEvent, bucket_change, bucket_url, is_later, newest_of_each
from shared.domain.changes import Change
from shared.domain.errors import Malformed
from shared.domain.ledger import Head, head_id, judge, move
from shared.domain.sources import BucketType, canonical_url, is_bucket, search_term, source_id, source_type

FLEET = "bucket://minio.example.com:9000/fleet"


def a_bucket_change(*events: ObjectEvent, url: str = FLEET, delivery: str = "1", received: float = 60) -> Change:
    return bucket_change(url, events, receiver="objects", delivery=delivery, received_at=at(received))


@pytest.mark.parametrize(
    ("kind", "endpoint", "name", "url", "canonical"),
    [
        ("bucket", "https://minio.example.com:9000", "fleet", FLEET, "minio.example.com:9000/fleet"),
        ("bucket", "http://minio.example.com:9000/", "fleet", FLEET, "minio.example.com:9000/fleet"),
        ("bucket", "Minio.example.com", "fleet.v2", "bucket://Minio.example.com/fleet.v2", "minio.example.com/fleet.v2"),
        ("bucket", "https://minio.example.com:443", "fleet", "bucket://minio.example.com:443/fleet", "minio.example.com/fleet"),
        ("bucket", "http://minio.example.com:80", "fleet", "bucket://minio.example.com:80/fleet", "minio.example.com/fleet"),
        (
            "azureblob",
            "https://contoso.blob.core.windows.net/",
            "fleet",
            "azureblob://contoso.blob.core.windows.net/fleet",
            "contoso.blob.core.windows.net/fleet",
        ),
    ],
)
def test_endpoint_and_name_are_one_address(kind: BucketType, endpoint: str, name: str, url: str, canonical: str) -> None:
    assert bucket_url(kind, endpoint, name) == url
    assert source_type(url) == kind
    assert canonical_url(url) == canonical
    assert search_term(url) in name


@pytest.mark.parametrize(
    "host", ["s3.amazonaws.com", "s3.eu-central-1.amazonaws.com", "s3-eu-west-1.amazonaws.com", "s3.dualstack.us-east-1.amazonaws.com"]
)
def test_a_bucket_of_aws_is_the_same_at_every_host_of_its_partition(host: str) -> None:
    assert canonical_url(f"bucket://{host}/fleet") == "s3.amazonaws.com/fleet"
    assert canonical_url("bucket://s3.cn-north-1.amazonaws.com.cn/fleet") == "s3.amazonaws.com.cn/fleet"
    assert canonical_url("bucket://s3.amazonaws.com.evil.example/fleet") == "s3.amazonaws.com.evil.example/fleet"


@pytest.mark.parametrize(
    "url",
    [
        "bucket://minio.example.com",
        "bucket:///fleet",
        "bucket://minio.example.com/fleet/clusters",
        "azureblob://contoso.blob.core.windows.net/f",
        "bucket://a.b/-x",
        "bucket://a.b:x/fleet",
    ],
)
def test_what_is_no_host_and_one_name_is_refused(url: str) -> None:
    with pytest.raises(Malformed):
        canonical_url(url)


def test_a_bucket_is_no_repository_of_the_same_spelling() -> None:
    assert is_bucket(source_type(FLEET))
    assert not is_bucket(source_type("https://minio.example.com/fleet"))
    assert len({source_id(f"{scheme}://minio.example.com/fleet") for scheme in ("https", "oci", "bucket", "azureblob")}) == 4


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        (ObjectEvent(key="a", sequencer="0055AED6DCD90281E6"), ObjectEvent(key="a", sequencer="0055AED6DCD90281E5")),
        (ObjectEvent(key="a", sequencer="16C1"), ObjectEvent(key="a", sequencer="16C")),
        (ObjectEvent(key="a", sequencer="2"), ObjectEvent(key="a", sequencer="1FFF")),
        (ObjectEvent(key="a", sequencer="2", at=NOW), ObjectEvent(key="a", sequencer="1", at=at(9))),
        (ObjectEvent(key="a", at=at(1)), ObjectEvent(key="a", at=NOW)),
        (ObjectEvent(key="a", at=at(1), sequencer="1"), ObjectEvent(key="a", at=NOW)),
        (ObjectEvent(key="a", at=NOW), ObjectEvent(key="a", sequencer="1")),
    ],
)
def test_sequencers_order_the_events_of_an_object_and_times_where_there_are_none(later: ObjectEvent, earlier: ObjectEvent) -> None:
    assert is_later(later, earlier)
    assert not is_later(earlier, later)
    assert not is_later(later, later)


def test_of_each_object_the_last_event_counts_in_whatever_order_they_come() -> None:
    first, second, third = (ObjectEvent(key="a", sequencer=text) for text in ("1", "19", "2"))
    other = ObjectEvent(key="b", sequencer="0")
    for events in permutations([first, second, third, other]):
        assert newest_of_each(events) == [third, other]


def test_a_change_of_a_bucket_names_its_objects_and_the_time_of_the_last_one() -> None:
    change = a_bucket_change(ObjectEvent(key="b/two.yaml", sequencer="2", at=at(9)), ObjectEvent(key="a/one.yaml", sequencer="1", at=at(7)))
    assert (change.source_kind, change.source, change.url, change.ref) == ("bucket", source_id(FLEET), canonical_url(FLEET), "")
    assert (change.paths, change.pushed_at, change.kind) == (("a/one.yaml", "b/two.yaml"), at(9), "updated")
    assert (change.branch, change.tag) == (None, None)


def test_the_time_of_a_change_is_never_after_it_was_heard_of() -> None:
    assert a_bucket_change(ObjectEvent(key="a", at=at(900))).pushed_at == at(60)
    assert a_bucket_change(ObjectEvent(key="a")).pushed_at == at(60)


def test_the_same_events_have_the_same_revision_whoever_tells_them() -> None:
    events = [ObjectEvent(key="a", sequencer="1", at=NOW), ObjectEvent(key="b", at=NOW), ObjectEvent(key="c", etag="e")]
    one, again = a_bucket_change(*events), a_bucket_change(*reversed(events), delivery="2")
    assert one.id != again.id
    assert one.revision == again.revision
    others = [
        ObjectEvent(key="a", sequencer="2"),
        ObjectEvent(key="a", at=at(1)),
        ObjectEvent(key="a", etag="f"),
        ObjectEvent(key="d", sequencer="1"),
    ]
    assert len({one.revision, *(a_bucket_change(other).revision for other in others)}) == 5


def test_an_event_of_very_many_objects_concerns_every_path() -> None:
    many = [ObjectEvent(key=f"{number:06}{'x' * 1000}", sequencer="1") for number in range(300)]
    assert a_bucket_change(*many).paths is None
    assert a_bucket_change().paths is None


def test_only_the_address_of_a_bucket_is_one() -> None:
    with pytest.raises(Malformed, match="bucket"):
        a_bucket_change(ObjectEvent(key="a"), url="https://github.com/contoso/platform")


def deliver(*changes: Change) -> Head:
    head = Head(id=head_id(""), source=source_id(FLEET))
    for change in changes:
        assert judge(head, change) == "accept"
        head = move(head, change, change.received_at)
    return head


def test_what_comes_late_of_a_bucket_is_news_and_lets_nobody_off_what_is_newer() -> None:
    newer = a_bucket_change(ObjectEvent(key="a", sequencer="2", at=at(20)))
    late = a_bucket_change(ObjectEvent(key="b", sequencer="1", at=at(10)), delivery="2", received=70)
    head = deliver(newer, late)
    assert (head.revision, head.pushed_at, head.skipped) == (late.revision, at(20), False)
    assert deliver(late, newer).pushed_at == at(20)


def test_what_was_told_of_a_bucket_before_is_not_news() -> None:
    one, two = (a_bucket_change(ObjectEvent(key="a", sequencer=text), delivery=text) for text in ("1", "2"))
    head = deliver(one, two)
    assert judge(head, two) == "again"
    for number, known in enumerate([one, two]):
        told_again = a_bucket_change(ObjectEvent(key="a", sequencer=known.delivery), delivery=f"again-{number}")
        assert judge(head, told_again) == "stale"
