"""Events at Event Grid's custom topics: what a topic takes, and the app's channel through Microsoft's client."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest
from cloud_client import CloudClient, ManagedIdentity
from msgspec.structs import replace

from shared.azure.event_grid import EventGridTopics
from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.cloud_events import event_id
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected, Throttled, Unavailable, Upstream
from shared.domain.event_schema import events_schema, example
from shared.providers import PROVIDERS
from shared.providers.means import Means

BATCH = {"aeg-sas-key": "any", "Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
GOOD = {"specversion": "1.0", "id": "1", "source": "/sluice", "type": "sluice.rollout.started"}
STARTED = Announcement(
    id="r1.rollout.started",
    kind="rollout.started",
    severity="info",
    title="Rollout started",
    summary="50 clusters",
    subject="r1",
    fields={**example("rollout.started")["data"]["fields"], "rollout": "r1"},
)
DONE = replace(STARTED, id="r1.rollout.succeeded", kind="rollout.succeeded")


@pytest.fixture
async def topics(cloud: CloudClient) -> AsyncIterator[EventGridTopics]:
    topics = EventGridTopics(ManagedIdentity(cloud))
    yield topics
    await topics.close()


@pytest.fixture
def topic() -> str:
    return uuid.uuid4().hex


async def kept(cloud: CloudClient, topic: str) -> list[dict[str, Any]]:
    return [one["body"] for one in await cloud.messages("eventgrid") if one["topic"] == topic]


async def post(cloud: CloudClient, topics: EventGridTopics, topic: str, *told: Announcement, token: str = "") -> None:
    address = f"{cloud.origin}/topics/{topic}/api/events"
    means = Means(None, address=address, token=token, source="https://sluice.example", topics=topics)  # type: ignore[arg-type]  # not by HTTP
    await PROVIDERS["eventgrid"](means).post(Parcel(id="d1", announcements=told))


async def test_events_are_published_as_the_app_s_identity(cloud: CloudClient, topics: EventGridTopics, topic: str) -> None:
    await post(cloud, topics, topic, STARTED, DONE)
    events = await kept(cloud, topic)
    for event in events:
        jsonschema.Draft202012Validator(events_schema()).validate(event)
    assert [event["id"] for event in events] == [event_id(STARTED), event_id(DONE)]
    assert [(event["type"], event["subject"], event["source"]) for event in events] == [
        ("sluice.rollout.started", "rollouts/r1", "https://sluice.example"),
        ("sluice.rollout.succeeded", "rollouts/r1", "https://sluice.example"),
    ]


async def test_events_are_published_with_an_access_key(cloud: CloudClient, topics: EventGridTopics, topic: str) -> None:
    await cloud.admin("PUT", f"topics/{topic}", {"key": "right"})
    await post(cloud, topics, topic, STARTED, token="right")
    assert len(await kept(cloud, topic)) == 1
    with pytest.raises(Unavailable) as caught:
        await post(cloud, topics, topic, DONE, token="wrong")
    assert (caught.value.status, "wrong" in repr(caught.value)) == (401, False)
    assert len(await kept(cloud, topic)) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Rejected), (403, Unavailable), (404, Unavailable), (413, Rejected), (429, Throttled), (503, Unavailable)]
)
async def test_its_answers(cloud: CloudClient, topics: EventGridTopics, topic: str, status: int, kind: type[Upstream]) -> None:
    fault = {"kind": "http", "method": "POST", "path": f"/topics/{topic}/", "status": status, "retryAfter": 9, "times": 1}
    await cloud.admin("POST", "faults", fault)
    with pytest.raises(kind) as caught:
        await post(cloud, topics, topic, STARTED)
    assert caught.value.status == (0 if status == 404 else status)  # Microsoft's client hides a 404 behind advice of its own
    if kind is Throttled:
        assert caught.value.retry_after == 9
    assert await kept(cloud, topic) == []
    await post(cloud, topics, topic, STARTED)
    assert len(await kept(cloud, topic)) == 1


async def test_what_is_more_than_a_megabyte_goes_in_several_requests(cloud: CloudClient, topics: EventGridTopics, topic: str) -> None:
    lines = tuple(ClusterLine("\u4f60" * 60, "\u597d" * 280) for _ in range(100))
    many = [replace(STARTED, id=f"r{number}", clusters=lines) for number in range(50)]
    await post(cloud, topics, topic, *many)
    assert [event["id"] for event in await kept(cloud, topic)] == [event_id(one) for one in many]


async def test_hostile_texts_stay_texts(cloud: CloudClient, topics: EventGridTopics, topic: str) -> None:
    hostile = '"}],"type":"x"\x00 \ud800 <script> {{7*7}} \u202e'
    await post(cloud, topics, topic, replace(STARTED, title=hostile, fields={**STARTED.fields, "stage": hostile}))
    (event,) = await kept(cloud, topic)
    assert event["type"] == "sluice.rollout.started"
    assert event["data"]["title"] == '"}],"type":"x"    <script> {{7*7}} \u202e'
    assert event["subject"].startswith("rollouts/r1/stages/%22%7D%5D%2C")


async def test_an_address_that_is_none_is_refused(topics: EventGridTopics) -> None:
    with pytest.raises(Rejected) as caught:
        await topics.publish("http://topic.example/api/events", [GOOD], key="k")
    assert caught.value.code == "InvalidAddress"


async def test_a_topic_that_cannot_be_reached_is_tried_later(topics: EventGridTopics) -> None:
    with pytest.raises(Unavailable):
        await topics.publish("https://127.0.0.1:1/api/events", [GOOD], key="k")


async def test_a_topic_takes_one_cloud_event_or_a_list(cloud: CloudClient, topic: str) -> None:
    path = f"/topics/{topic}/api/events?api-version=2018-01-01"
    one = {**BATCH, "Content-Type": "application/cloudevents+json"}
    assert (await cloud.call("POST", path, GOOD, headers=one)).status == 200
    assert (await cloud.call("POST", path, [GOOD | {"id": "2", "time": "2026-03-02T09:30:00Z"}], headers=BATCH)).status == 200
    assert [event["id"] for event in await kept(cloud, topic)] == ["1", "2"]
    assert (await cloud.call("POST", path.partition("?")[0], [GOOD], headers=BATCH)).status == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"specversion": "0.3"},
        {"id": ""},
        {"source": 1},
        {"type": None},
        {"subject": ""},
        {"time": "yesterday"},
        {"time": "2026-03-02T09:30:00"},
        {"dataSchema": "x"},
        {"data": {}, "data_base64": ""},
    ],
)
async def test_a_topic_refuses_what_is_no_cloud_event_and_all_that_came_with_it(cloud: CloudClient, topic: str, wrong: Any) -> None:
    path = f"/topics/{topic}/api/events?api-version=2018-01-01"
    for body in ([GOOD, GOOD | wrong], [GOOD, 1], GOOD, []):
        assert (await cloud.call("POST", path, body, headers=BATCH)).status == 400
    assert await kept(cloud, topic) == []
