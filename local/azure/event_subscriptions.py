"""Event Grid's subscriptions to Azure's own events: what Resource Manager took is told to webhooks, in the schema that each asked for.

https://learn.microsoft.com/azure/event-grid/delivery-and-retry, https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from local.azure.answers import AzureError, json_response, read_object
from local.azure.clock import utc_text
from local.azure.journal import Journal
from local.azure.resources import JsonObject
from local.azure.tokens import Principal

CHANNEL = "events"
SCHEMAS = ("EventGridSchema", "CloudEventSchemaV1_0")
RETRY_SECONDS = (10, 30, 60)  # Event Grid's own first ones; it goes on for a day
TIMEOUT = aiohttp.ClientTimeout(total=30)
FINAL = frozenset({200, 201, 202, 203, 204, 400, 413})  # taken, or never tried again
OUTCOMES = {"PUT": "Write", "PATCH": "Write", "DELETE": "Delete"}
CLOUD_EVENT_NAMES = {"id": "id", "topic": "source", "subject": "subject", "eventType": "type", "eventTime": "time", "data": "data"}


@dataclass(frozen=True)
class Subscription:
    url: str
    schema: str


class EventSubscriptions:
    """Delivers in the background. Nothing is kept for a webhook that subscribes later."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._subscriptions: dict[str, Subscription] = {}
        self._deliveries: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/_sim/event-subscriptions/{name}", self.subscribe),
            web.delete("/_sim/event-subscriptions/{name}", self.unsubscribe),
            web.post("/_sim/events", self.publish_given),
        ]

    async def subscribe(self, request: web.Request) -> web.Response:
        """Takes the place of the subscription of that name, once the webhook has answered the handshake."""
        body = await read_object(request)
        subscription = Subscription(str(body.get("url", "")), str(body.get("schema", SCHEMAS[0])))
        if subscription.schema not in SCHEMAS:
            raise AzureError(400, "BadRequest", f"schema must be one of {', '.join(SCHEMAS)}")
        await _shake_hands(subscription)
        self._subscriptions[request.match_info["name"]] = subscription
        return json_response(body, status=201)

    async def unsubscribe(self, request: web.Request) -> web.Response:
        self._subscriptions.pop(request.match_info["name"], None)
        return web.Response(status=204)

    async def publish_given(self, request: web.Request) -> web.Response:
        """Any event, in Event Grid's schema."""
        self.publish(await read_object(request))
        return web.Response(status=202)

    def publish(self, event: JsonObject) -> None:
        for name, subscription in self._subscriptions.items():
            task = asyncio.create_task(self._deliver(name, subscription, event))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    def resource_written(self, resource_id: str, method: str, principal: Principal, *, succeeded: bool = True) -> None:
        """What Resource Manager tells of a PUT, PATCH or DELETE."""
        self.publish(resource_event(resource_id, method, claims_of(principal), succeeded=succeeded))

    def clusters_connected(self, cluster_ids: Iterable[str], claims: JsonObject) -> None:
        for cluster_id in cluster_ids:
            self.publish(resource_event(cluster_id, "PUT", claims))

    async def close(self, app: web.Application) -> None:
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    async def _deliver(self, name: str, subscription: Subscription, event: JsonObject) -> None:
        for wait in (0, *RETRY_SECONDS):
            await asyncio.sleep(wait)
            status = await _post(subscription, "Notification", event)
            self._journal.keep(CHANNEL, subscription=name, schema=subscription.schema, status=status, body=event)
            if status in FINAL:
                return


def resource_event(resource_id: str, method: str, claims: JsonObject, *, succeeded: bool = True) -> JsonObject:
    """Microsoft.Resources.Resource{Write,Delete}{Success,Failure} as
    https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions shows it.
    """
    subscription = resource_id.split("/")[2]
    provider, _, rest = resource_id.rpartition("/providers/")[2].partition("/")
    operation = f"{provider}/{rest.split('/', maxsplit=1)[0]}/{'delete' if method == 'DELETE' else 'write'}"
    return {
        "id": str(uuid.uuid4()),
        "topic": f"/subscriptions/{subscription}",
        "subject": resource_id,
        "eventType": f"Microsoft.Resources.Resource{OUTCOMES[method]}{'Success' if succeeded else 'Failure'}",
        "eventTime": utc_text(),
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {
            "authorization": {"scope": resource_id, "action": operation, "evidence": {"role": "Contributor"}},
            "claims": claims,
            "correlationId": str(uuid.uuid4()),
            "resourceProvider": provider,
            "resourceUri": resource_id,
            "operationName": operation,
            "status": "Succeeded" if succeeded else "Failed",
            "subscriptionId": subscription,
        },
    }


def claims_of(principal: Principal) -> JsonObject:
    return {"appid": principal.app_id, "http://schemas.microsoft.com/identity/claims/objectidentifier": principal.object_id, "idtyp": "app"}


async def _shake_hands(subscription: Subscription) -> None:
    code = str(uuid.uuid4())
    event: JsonObject = {
        "id": str(uuid.uuid4()),
        "topic": "/subscriptions/simulated",
        "subject": "",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": utc_text(),
        "dataVersion": "2",
        "data": {"validationCode": code},
    }
    answer: JsonObject = {}
    status = await _post(subscription, "SubscriptionValidation", event, answer)
    if status != 200 or answer.get("validationResponse") != code:
        raise AzureError(400, "WebhookValidationFailed", f"The webhook did not answer the validation request: {status}.")


async def _post(subscription: Subscription, kind: str, event: JsonObject, answer: JsonObject | None = None) -> int:
    """The status, 0 where there was none; the JSON that came is put into `answer`."""
    headers = {"aeg-event-type": kind}
    body: object = [event]
    if subscription.schema == "CloudEventSchemaV1_0":
        body = {"specversion": "1.0", **{new: event[old] for old, new in CLOUD_EVENT_NAMES.items() if old in event}}
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.post(subscription.url, json=body, headers=headers) as response,
        ):
            if answer is not None and response.status == 200:
                answer.update(await response.json(content_type=None))
            return response.status
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return 0
