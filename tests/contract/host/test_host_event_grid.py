"""The Event Grid webhook: handshakes, notifications, statuses."""

import json
import uuid
from typing import Any

import pytest
from host_processes import Host, Reply, eventually

PATH = "/runtime/webhooks/EventGrid?functionName=on_event"


def post(host: Host, kind: str | None, body: Any, path: str = PATH) -> Reply:
    return host.post_json(path, body, {"aeg-event-type": kind} if kind else None)


def event(**data: Any) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "topic": "/subscriptions/S",
        "subject": "/a",
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-01-02T00:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": data,
    }


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([{"data": {"validationCode": "c0de"}}], id="Event Grid schema"),
        pytest.param({"data": '{"validationCode": "c0de"}'}, id="CloudEvent, data as text"),
        pytest.param({"data": {"validationCode": "c0de"}}, id="CloudEvent, data as an object"),
    ],
)
def test_the_handshake_is_answered_by_the_host(host: Host, body: Any) -> None:
    before = len(host.seen("on_event"))
    reply = post(host, "SubscriptionValidation", body)

    assert reply.status == 200  # Event Grid takes no other
    assert reply.json == {"validationResponse": "c0de"}
    assert len(host.seen("on_event")) == before


def test_each_event_of_a_notification_is_an_invocation(host: Host) -> None:
    first, second = event(n=1), event(n=2)
    reply = post(host, "notification", [first, second], PATH.replace("EventGrid", "eventgrid"))

    assert (reply.status, reply.body) == (202, b"")
    assert host.seen("on_event", id=first["id"], data={"n": 1}, cloud=False)
    assert host.seen("on_event", id=second["id"], data={"n": 2}, cloud=False)


def test_a_single_cloud_event_is_taken(host: Host) -> None:
    identity = uuid.uuid4().hex
    cloud_event = {"specversion": "1.0", "id": identity, "source": "/s", "type": "t", "data": {"n": 3}}

    assert post(host, "Notification", cloud_event).status == 202
    assert host.seen("on_event", id=identity, cloud=True)


def test_one_failed_event_fails_the_batch_after_all_were_run(host: Host) -> None:
    bad, good = event(fails=True), event(n=4)
    reply = post(host, "Notification", [bad, good])

    assert reply.status == 500
    assert f"event {bad['id']} failed on purpose" in reply.body.decode()
    assert host.seen("on_event", id=good["id"])


@pytest.mark.parametrize(
    ("kind", "path", "status"),
    [
        pytest.param("Unsubscribe", PATH, 202, id="unsubscribe"),
        pytest.param(None, PATH, 400, id="no header"),
        pytest.param("Something", PATH, 400, id="unknown header"),
        pytest.param("Notification", "/runtime/webhooks/EventGrid?functionName=nobody", 404, id="unknown function"),
        pytest.param("Notification", "/runtime/webhooks/EventGrid?functionName=work", 404, id="another trigger"),
        pytest.param("Notification", "/runtime/webhooks/EventGrid", 404, id="no function"),
    ],
)
def test_other_statuses(host: Host, kind: str | None, path: str, status: int) -> None:
    assert post(host, kind, [event()], path).status == status


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"3"])
def test_a_body_that_is_no_event_is_refused(host: Host, body: bytes) -> None:
    assert host.send("POST", PATH, body, {"aeg-event-type": "Notification"}).status == 400


def test_the_function_is_run_by_hand_with_an_event(host: Host) -> None:
    given = event(n=5)

    assert host.post_json("/admin/functions/on_event", {"input": json.dumps(given)}).status == 202
    eventually(lambda: host.seen("on_event", id=given["id"]))
    assert host.post_json("/admin/functions/on_event", {"input": "[]"}).status == 400
