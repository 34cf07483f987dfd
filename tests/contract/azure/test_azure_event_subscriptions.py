"""Azure's own events: who hears of what, in which schema, and what happens when nobody listens."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cloud_client import CloudClient, Repository, until

OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


class Webhook:
    """What the Functions host does with Event Grid's requests. `refuses`: how many notifications are answered 500 first."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.refuses = 0

    async def handle(self, request: web.Request) -> web.Response:
        kind, body = request.headers["aeg-event-type"], await request.json()
        if kind == "SubscriptionValidation":
            event = body[0] if isinstance(body, list) else body
            return web.json_response({"validationResponse": event["data"]["validationCode"]})
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=500)
        self.heard.put_nowait((kind, body))
        return web.Response(status=202)

    async def about(self, resource_id: str) -> Any:
        """The next notification about a resource; those about others are passed over."""
        async with asyncio.timeout(30):
            while True:
                _, body = await self.heard.get()
                event = body[0] if isinstance(body, list) else body
                if event["subject"].lower() == resource_id.lower():
                    return body


async def hear_nothing(request: web.Request) -> web.Response:
    return web.json_response({})


@pytest.fixture
async def webhook(cloud: CloudClient) -> AsyncIterator[tuple[Webhook, str]]:
    made, app = Webhook(), web.Application()
    app.router.add_post("/hook", made.handle)
    app.router.add_post("/deaf", hear_nothing)
    async with TestServer(app) as server:
        yield made, f"http://127.0.0.1:{server.port}"
        await cloud.admin("DELETE", "event-subscriptions/test")


@pytest.fixture
async def subscription(cloud: CloudClient, webhook: tuple[Webhook, str]) -> Webhook:
    await cloud.admin("PUT", "event-subscriptions/test", {"url": f"{webhook[1]}/hook"})
    return webhook[0]


async def test_writes_are_told_with_who_did_them(cloud: CloudClient, repository: Repository, subscription: Webhook) -> None:
    fleet = await cloud.make_fleet(repository, clusters=1)
    (connected,) = await subscription.about(fleet.ids[0])
    assert connected["data"]["operationName"] == "Microsoft.Kubernetes/connectedClusters/write"
    configuration = fleet.configuration()
    await cloud.patch(configuration, {"suspend": True})
    (written,) = await subscription.about(configuration)
    assert written["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert written["data"]["operationName"] == "Microsoft.KubernetesConfiguration/fluxConfigurations/write"
    assert written["data"]["claims"]["appid"] == cloud.client_id
    assert written["data"]["claims"][OBJECT_ID]
    await cloud.call("PATCH", f"{configuration}?api-version=2025-04-01", {"tags": {}})
    assert (await subscription.about(configuration))[0]["eventType"] == "Microsoft.Resources.ResourceWriteFailure"
    await cloud.call("DELETE", f"{configuration}?api-version=2025-04-01")
    assert (await subscription.about(configuration))[0]["eventType"] == "Microsoft.Resources.ResourceDeleteSuccess"


async def test_a_subscription_may_ask_for_cloud_events(cloud: CloudClient, repository: Repository, webhook: tuple[Webhook, str]) -> None:
    await cloud.admin("PUT", "event-subscriptions/test", {"url": f"{webhook[1]}/hook", "schema": "CloudEventSchemaV1_0"})
    fleet = await cloud.make_fleet(repository, clusters=1)
    event = await webhook[0].about(fleet.ids[0])
    assert (event["specversion"], event["type"]) == ("1.0", "Microsoft.Resources.ResourceWriteSuccess")
    assert event["source"] == f"/subscriptions/{fleet.subscriptions[0]}"


async def test_what_is_not_taken_is_delivered_again(cloud: CloudClient, subscription: Webhook) -> None:
    subscription.refuses = 1
    identity = str(uuid.uuid4())
    event = {"id": identity, "subject": f"/{identity}", "topic": "/t", "eventType": "T", "eventTime": "2026-01-02T00:00:00Z", "data": {}}
    await cloud.admin("POST", "events", event)
    assert await subscription.about(event["subject"]) == [event]

    async def statuses() -> list[int] | None:
        found = [one["status"] for one in await cloud.messages("events") if one["body"]["id"] == identity]
        return found if len(found) == 2 else None

    assert await until(statuses) == [500, 202]


@pytest.mark.parametrize("body", [{"url": "http://127.0.0.1:1/none"}, {"url": "not an address"}, {"url": "x", "schema": "InputSchema"}])
async def test_a_webhook_that_does_not_shake_hands_hears_nothing(cloud: CloudClient, body: dict[str, str]) -> None:
    answer = await cloud.call("PUT", "/_sim/event-subscriptions/none", body, headers={})
    assert answer.status == 400


async def test_a_wrong_answer_is_no_handshake(cloud: CloudClient, webhook: tuple[Webhook, str]) -> None:
    answer = await cloud.call("PUT", "/_sim/event-subscriptions/none", {"url": f"{webhook[1]}/deaf"}, headers={})
    assert answer.status == 400
