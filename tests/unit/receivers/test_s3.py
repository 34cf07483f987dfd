"""What the recorded deliveries of buckets do not show."""

import json
from typing import Any

import pytest
from proofs import SECRET, an_inbound

from shared.domain.errors import Refused
from shared.receivers.inbound import Received
from shared.receivers.s3 import receive

STORE = "https://minio.contoso.example:9000"


def record(**fields: Any) -> dict[str, Any]:
    s3 = {"bucket": {"name": fields.pop("bucket", "fleet")}, "object": {"key": fields.pop("key", "a"), "sequencer": "1"}}
    return {"eventName": "s3:ObjectCreated:Put", "eventTime": "2026-11-23T11:59:58Z", "s3": s3} | fields


def told(body: Any, **options: str) -> Received:
    return receive(an_inbound("s3", {}, json.dumps(body).encode(), **options), [SECRET])


def refusal(body: Any, **options: str) -> str:
    with pytest.raises(Refused) as refused:
        told(body, **options)
    assert (refused.value.status, refused.value.explain) == (400, True)
    return refused.value.reason


def test_a_store_other_than_amazon_s_must_be_told() -> None:
    assert refusal({"Records": [record()]}).startswith("bucket-unknown")
    assert refusal({"Records": [record(eventSource="minio:s3", awsRegion=None)]}).startswith("bucket-unknown")
    assert told({"Records": [record()]}, url=STORE).changes[0].url == "minio.contoso.example:9000/fleet"
    assert told({"Records": [record(eventSource="aws:s3", awsRegion=None)]}).changes[0].url == "s3.amazonaws.com/fleet"


def test_where_the_store_is_is_not_the_sender_s_word() -> None:
    body = {"Records": [record(eventSource="aws:s3", responseElements={"x-minio-origin-endpoint": "http://10.0.0.1"})]}
    assert told(body, url=STORE).changes[0].url == "minio.contoso.example:9000/fleet"


@pytest.mark.parametrize("bucket", ["a/b", "..", "fleet?x", "x" * 64, ""])
def test_what_is_no_name_of_a_bucket_is_refused(bucket: str) -> None:
    assert refusal({"Records": [record(bucket=bucket)]}, url=STORE).startswith("body-invalid")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"Records": {}},
        {"Records": [{}]},
        {"Records": [record()] * 1001},
        {"source": "aws.s3", "detail-type": "Object Created"},
        {"source": "aws.ec2"},
    ],
)
def test_what_is_no_event_of_a_bucket_is_refused(body: Any) -> None:
    assert refusal(body, url=STORE).startswith("body-invalid")


def test_what_moves_nothing_is_known_by_its_name() -> None:
    assert told({"Records": []}).event == "none"
    assert told({"source": "aws.s3"}).event == "none"
    assert told({"Records": [record(eventName="s3:TestEvent")]}).event == "TestEvent"


def test_the_same_event_told_in_two_ways_is_one_revision() -> None:
    one = told({"Records": [record()]}, url=STORE).changes[0]
    other = told({"Records": [record(), record(eventName="s3:ObjectAccessed:Get")]}, url=STORE).changes[0]
    assert one.id != other.id
    assert one.revision == other.revision
