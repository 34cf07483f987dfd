"""Rows for Log Analytics and events for Event Grid, through their SDKs."""

import gzip
import io
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent
from azure.eventgrid.aio import EventGridPublisherClient
from azure.monitor.ingestion.aio import LogsIngestionClient
from cloud_client import CloudClient, ManagedIdentity

MONITOR = "https://monitor.azure.com"
STREAM = "Custom-SluiceRollouts_CL"


@pytest.fixture
def rule() -> str:
    return f"dcr-{uuid.uuid4().hex}"


async def kept(cloud: CloudClient, channel: str, **where: str) -> list[dict[str, Any]]:
    messages = await cloud.messages(channel)
    return [one for one in messages if all(one[name] == value for name, value in where.items())]


async def test_the_sdk_uploads_rows(cloud: CloudClient, rule: str) -> None:
    async with LogsIngestionClient(cloud.origin, ManagedIdentity(cloud)) as client:
        await client.upload(rule_id=rule, stream_name=STREAM, logs=[{"rollout": "r1"}, {"rollout": "r2"}])
    rows = await kept(cloud, "logs", rule=rule, stream=STREAM)
    assert [row["body"] for row in rows] == [{"rollout": "r1"}, {"rollout": "r2"}]


async def post_rows(cloud: CloudClient, rule: str, body: bytes, **headers: str) -> int:
    token = await cloud.token(MONITOR)
    url = f"{cloud.origin}/dataCollectionRules/{rule}/streams/{STREAM}?api-version=2023-01-01"
    given = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    async with cloud._session.post(url, data=io.BytesIO(body), headers=given) as response:
        return response.status


async def test_rows_may_be_compressed_but_not_too_many(cloud: CloudClient, rule: str) -> None:
    assert await post_rows(cloud, rule, gzip.compress(b'[{"a": 1}]'), **{"Content-Encoding": "gzip"}) == 204
    large = json.dumps([{"a": "x" * 1024 * 1024}]).encode()
    assert await post_rows(cloud, rule, large) == 413
    assert await post_rows(cloud, rule, gzip.compress(large), **{"Content-Encoding": "gzip"}) == 413
    assert await post_rows(cloud, rule, b'{"a": 1}') == 400
    assert [row["body"] for row in await kept(cloud, "logs", rule=rule)] == [{"a": 1}]


async def test_rows_need_a_token_for_monitor(cloud: CloudClient, rule: str) -> None:
    path = f"/dataCollectionRules/{rule}/streams/{STREAM}?api-version=2023-01-01"
    assert (await cloud.call("POST", path, [{"a": 1}])).status == 401


async def test_the_sdk_publishes_events_with_a_key(cloud: CloudClient) -> None:
    topic = uuid.uuid4().hex
    await cloud.admin("PUT", f"topics/{topic}", {"key": "right"})
    url = f"{cloud.origin}/topics/{topic}/api/events"
    event = EventGridEvent("rollouts/r1", "Sluice.RolloutPaused", {"why": "failures"}, "1.0")
    async with EventGridPublisherClient(url, AzureKeyCredential("right")) as client:
        await client.send([event])
    async with EventGridPublisherClient(url, AzureKeyCredential("wrong")) as client:
        with pytest.raises(ClientAuthenticationError):
            await client.send([event])
    messages = await kept(cloud, "eventgrid", topic=topic)
    assert [(one["schema"], one["body"]["subject"]) for one in messages] == [("EventGridEvent", "rollouts/r1")]


async def test_the_sdk_publishes_cloud_events_with_a_token(cloud: CloudClient) -> None:
    topic = uuid.uuid4().hex
    event = CloudEvent(source="/sluice", type="sluice.rollout.paused", data={"why": "failures"}, time=datetime.now(UTC))
    async with EventGridPublisherClient(f"{cloud.origin}/topics/{topic}/api/events", ManagedIdentity(cloud)) as client:
        await client.send([event])
    messages = await kept(cloud, "eventgrid", topic=topic)
    assert [(one["schema"], one["body"]["type"]) for one in messages] == [("CloudEventV10", "sluice.rollout.paused")]


async def test_an_incomplete_event_is_refused(cloud: CloudClient) -> None:
    path = f"/topics/{uuid.uuid4().hex}/api/events"
    answer = await cloud.call("POST", path, [{"id": "1"}], headers={"aeg-sas-key": "any"})
    assert answer.status == 400
