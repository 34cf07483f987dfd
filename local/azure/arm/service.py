"""The front of Resource Manager: admits, throttles, finds what a URL names and hands it on."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from local.azure.answers import AzureError, require_api_version
from local.azure.arm import addresses
from local.azure.arm.addresses import Address
from local.azure.arm.connected_clusters import ConnectedClusters
from local.azure.arm.proxy_resources import ProxyResources
from local.azure.buckets import ArmBuckets
from local.azure.cloud import Cloud
from local.azure.event_subscriptions import OUTCOMES, EventSubscriptions
from local.azure.gate import ARM_AUDIENCES, Gate
from local.azure.tokens import Principal

KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
API_VERSIONS = {
    "connectedclusters": {"2024-01-01", "2024-12-01-preview", "2025-12-01", "2026-05-01"},
    "fluxconfigurations": {"2022-03-01", "2022-07-01", "2022-11-01", "2023-05-01", "2024-11-01", "2025-04-01"},
    "extensions": {"2022-11-01", "2023-05-01", "2024-11-01", "2025-03-01"},
}
Handler = Callable[[web.Request, Address, Principal], Awaitable[web.Response]]


class ResourceManager:
    def __init__(self, cloud: Cloud, gate: Gate, clusters: ConnectedClusters, children: ProxyResources, events: EventSubscriptions) -> None:
        self._cloud = cloud
        self._gate = gate
        self._clusters = clusters
        self._children = children
        self._events = events
        self._buckets = ArmBuckets()

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{root:(?i:subscriptions)}/{tail:.*}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        principal = self._gate.admit(request, ARM_AUDIENCES)
        subscription = request.path.split("/")[2].lower()
        headers = self._throttle(subscription, principal, KINDS.get(request.method, "writes"))
        try:
            response = await self._answer(request, principal, subscription)
        except AzureError as error:
            response = error.response()
        if request.method in OUTCOMES:
            self._events.resource_written(request.path.rstrip("/"), request.method, principal, succeeded=response.status < 400)
        response.headers.update(headers)
        return response

    def _throttle(self, subscription: str, principal: Principal, kind: str) -> dict[str, str]:
        """The headers that tell what is left. Raises AzureError 429 when nothing is."""
        own, shared = self._buckets.take(subscription, principal.object_id, kind)
        headers = {
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(own.remaining),
            f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(shared.remaining),
        }
        refused = next((take for take in (own, shared) if not take.allowed), None)
        if refused is None:
            return headers
        raise AzureError(
            429,
            "SubscriptionRequestsThrottled",
            f"Number of '{kind}' requests for subscription '{subscription}' actor '{principal.object_id}' exceeded."
            f" Please try again after '{refused.retry_after_seconds}' seconds after additional tokens are available.",
            headers={**headers, "Retry-After": str(refused.retry_after_seconds)},
        )

    async def _answer(self, request: web.Request, principal: Principal, subscription: str) -> web.Response:
        version = require_api_version(request)
        if subscription not in self._cloud.subscriptions:
            raise AzureError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        address = addresses.parse(request.path)
        if address is None:
            raise AzureError(404, "InvalidResourceType", f"The resource type could not be found: '{request.path}'.")
        _check_api_version(address, version)
        handler = self._handler(request.method, address)
        if handler is None:
            raise AzureError(405, "MethodNotAllowed", f"The method '{request.method}' is not allowed here.")
        return await handler(request, address, principal)

    def _handler(self, method: str, address: Address) -> Handler | None:
        if not address.collection:
            clusters: dict[tuple[str, bool], Handler] = {
                ("GET", True): self._clusters.get,
                ("PATCH", True): self._clusters.update,
                ("GET", False): self._clusters.list,
            }
            return clusters.get((method, bool(address.cluster)))
        if address.operation:
            return self._children.operation if method == "GET" else None
        if not address.name:
            return self._children.list if method == "GET" else None
        children: dict[str, Handler] = {
            "GET": self._children.get,
            "PUT": self._children.create_or_update,
            "PATCH": self._children.update,
            "DELETE": self._children.delete,
        }
        return children.get(method)


def _check_api_version(address: Address, version: str) -> None:
    kind = address.collection or "connectedclusters"
    if version not in API_VERSIONS[kind]:
        raise AzureError(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version '{version}' and type '{kind}'."
            f" The supported api-versions are '{', '.join(sorted(API_VERSIONS[kind]))}'.",
        )
