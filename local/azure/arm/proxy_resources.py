"""Microsoft.KubernetesConfiguration resources on a cluster: written through long-running operations that the agent ends."""

import uuid

from aiohttp import web

from local.azure.agents import Agents
from local.azure.answers import AzureError, json_response, read_object
from local.azure.arm import bodies
from local.azure.arm.addresses import Address
from local.azure.arm.connected_clusters import ConnectedClusters
from local.azure.arm.documents import proxy_document
from local.azure.arm.pages import page
from local.azure.arm.stamps import created, modified
from local.azure.cloud import Cloud
from local.azure.faults import Faults
from local.azure.origin import Origin
from local.azure.resources import Cluster, Extension, FluxConfiguration, JsonObject, Operation, ProxyResource
from local.azure.tokens import Principal

PAGE_SIZE = 100
RETRY_AFTER_SECONDS = 1


class ProxyResources:
    def __init__(self, cloud: Cloud, clusters: ConnectedClusters, agents: Agents, faults: Faults, origin: Origin) -> None:
        self._cloud = cloud
        self._clusters = clusters
        self._agents = agents
        self._faults = faults
        self._origin = origin

    async def get(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        return json_response(proxy_document(self._existing(address)))

    async def list(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        cluster = self._parent(address)
        found = [child for child in cluster.children.values() if child.key[0] == address.collection]
        return page(request, [proxy_document(child) for child in found], PAGE_SIZE)

    async def operation(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        operation = self._cloud.operation(address.operation)
        if operation is None:
            raise AzureError(404, "ResourceNotFound", f"The operation '{address.operation}' was not found.")
        body: JsonObject = {"id": request.path, "name": operation.id, "status": operation.status}
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if operation.is_open else {}
        return json_response(body | ({"error": operation.error} if operation.error else {}), headers=headers)

    async def create_or_update(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        cluster = self._parent(address)
        body = await read_object(request)
        existing = cluster.children.get((address.collection, address.name.lower()))
        asked, protected = _asked(address.collection, bodies.properties_of(body))
        if existing is None:
            resource = _new(cluster, address, asked, principal)
            resource.protected_settings = protected
            self._cloud.add_child(resource)
            return self._accept(request, resource, 201)
        self._check_free(request, existing)
        existing.protected_settings |= protected
        return self._write(request, existing, asked, principal, 200)

    async def update(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        """Answers 200 when nothing changes, else 202 with the operation that the agent's next poll ends."""
        resource = self._existing(address)
        allowed = bodies.FLUX_PATCH if isinstance(resource, FluxConfiguration) else bodies.EXTENSION_PATCH
        patch = dict(bodies.patch_of(await read_object(request), allowed))
        protected = patch.pop("configurationProtectedSettings", None) or {}
        merged = bodies.merge(resource.properties, patch)
        _check(address.collection, merged)
        self._check_free(request, resource)
        if merged == resource.properties and not protected:
            return json_response(proxy_document(resource))
        resource.protected_settings |= protected
        return self._write(request, resource, merged, principal, 202)

    async def delete(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        cluster = self._parent(address)
        resource = cluster.children.get((address.collection, address.name.lower()))
        if resource is None:
            return web.Response(status=204)
        self._check_free(request, resource)
        if request.query.get("forceDelete", "").lower() == "true":
            self._cloud.remove_child(resource)
            return web.Response(status=200)
        resource.deleting = True
        resource.provisioning_state = "Deleting"
        return web.Response(status=202, headers=self._open_operation(request, resource))

    def _write(
        self, request: web.Request, resource: ProxyResource, properties: JsonObject, principal: Principal, status: int
    ) -> web.Response:
        resource.properties = properties
        resource.generation += 1
        resource.provisioning_state = "Updating"
        resource.system_data = modified(resource.system_data, principal)
        return self._accept(request, resource, status)

    def _accept(self, request: web.Request, resource: ProxyResource, status: int) -> web.Response:
        resource.writes += 1
        headers = self._open_operation(request, resource)
        return json_response(proxy_document(resource), status=status, headers=headers if status != 200 else None)

    def _open_operation(self, request: web.Request, resource: ProxyResource) -> dict[str, str]:
        if resource.operation is not None and resource.operation.is_open:
            resource.operation.status = "Canceled"
        resource.operation = Operation(str(uuid.uuid4()))
        self._cloud.add_operation(resource.operation)
        self._cloud.touch(resource)
        self._agents.wake(resource)
        version = request.query["api-version"]
        return {
            "Azure-AsyncOperation": f"{self._origin.url}{resource.id}/operations/{resource.operation.id}?api-version={version}",
            "Retry-After": str(RETRY_AFTER_SECONDS),
            "x-ms-async-operation-timeout": "PT48H",
        }

    def _check_free(self, request: web.Request, resource: ProxyResource) -> None:
        busy = resource.operation is not None and resource.operation.is_open
        if busy and self._faults.refuses_parallel_writes(request.path):
            raise AzureError(409, "Conflict", f"Another operation is in progress on '{resource.id}'. Please retry after it completes.")

    def _parent(self, address: Address) -> Cluster:
        try:
            return self._clusters.find(address)
        except AzureError as error:
            text = f"Can not perform requested operation on nested resource. Parent resource '{address.cluster}' not found."
            raise AzureError(404, "ParentResourceNotFound", text) from error

    def _existing(self, address: Address) -> ProxyResource:
        resource = self._parent(address).children.get((address.collection, address.name.lower()))
        if resource is None:
            text = f"The resource '{address.collection}/{address.name}' of cluster '{address.cluster}' was not found."
            raise AzureError(404, "ResourceNotFound", text)
        return resource


def _asked(collection: str, properties: JsonObject) -> tuple[JsonObject, dict[str, str]]:
    """What a PUT asks for: what may be written, without nulls, read-only properties ignored; and its secrets apart."""
    flux = collection == "fluxconfigurations"
    allowed = bodies.FLUX_PUT if flux else bodies.EXTENSION_PUT
    protected = properties.get("configurationProtectedSettings") or {}
    kept = {name: value for name, value in properties.items() if name in allowed}
    kept.pop("configurationProtectedSettings", None)
    asked = bodies.merge(bodies.FLUX_DEFAULTS if flux else {}, kept)
    _check(collection, asked)
    return asked, protected


def _check(collection: str, properties: JsonObject) -> None:
    if collection == "fluxconfigurations":
        bodies.check_flux_configuration(properties)
    else:
        bodies.check_extension(properties)


def _new(cluster: Cluster, address: Address, asked: JsonObject, principal: Principal) -> ProxyResource:
    kind = FluxConfiguration if address.collection == "fluxconfigurations" else Extension
    return kind(cluster, address.name, asked, created(principal))
