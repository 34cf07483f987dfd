"""Azure Resource Manager: a cluster, its Flux extension and its fluxConfigurations, as JSON.

Through azure-core's own pipeline and no model: what is compared and merged is ARM's JSON, with the nulls that a merge patch needs.
"""

import re
from typing import TYPE_CHECKING, Any

from shared.azure.errors import azure_errors
from shared.domain.baselines import Kind
from shared.domain.cluster_resources import Found, Write, flux_among
from shared.domain.clusters import Cluster
from shared.domain.errors import Rejected

if TYPE_CHECKING:
    from azure.core import AsyncPipelineClient
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.rest import AsyncHttpResponse, HttpRequest

Json = dict[str, Any]

CLUSTERS_VERSION = "2024-01-01"
_COLLECTIONS: dict[Kind, tuple[str, str]] = {
    "extension": ("extensions", "2025-03-01"),
    "configuration": ("fluxConfigurations", "2025-04-01"),
}
# What Azure allows in names, and no "." or "..": a name is part of the path of a request that carries our token.
_NAME = r"(?!\.{1,2}(?:/|$))[\w.()-]+"
_CLUSTER_ID = re.compile(
    rf"/subscriptions/{_NAME}/resourcegroups/{_NAME}/providers/microsoft\.kubernetes/connectedclusters/{_NAME}", re.IGNORECASE | re.ASCII
)
_MOST_PAGES = 20


class ArmClusterResources:
    """Implements ports.ClusterResources, without retries of its own: what failed goes back to the queue and keeps the pace."""

    def __init__(self, credential: "AsyncTokenCredential", base_url: str, audience: str) -> None:
        self._credential = credential
        self._base_url = base_url.rstrip("/")
        self._scope = f"{audience}/.default"
        self._opened: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] | None = None

    async def cluster(self, cluster_id: str) -> Cluster | None:
        body = await self._find(_checked(cluster_id), CLUSTERS_VERSION)
        return None if body is None else _cluster(cluster_id, body)

    async def extension(self, cluster_id: str) -> Found | None:
        return flux_among([_found(body) for body in await self._list(cluster_id, "extension")])

    async def configuration(self, cluster_id: str, name: str) -> Found | None:
        path, version = _path(cluster_id, "configuration", name)
        body = await self._find(path, version)
        return None if body is None else _found(body)

    async def has_configurations(self, cluster_id: str) -> bool:
        return bool(await self._list(cluster_id, "configuration"))

    async def write(self, cluster_id: str, write: Write) -> None:
        path, version = _path(cluster_id, write.kind, write.name)
        body: Json | None = None if write.method == "DELETE" else {"properties": write.properties}
        if body and write.kind == "extension" and write.method == "PUT":
            body["identity"] = {"type": "SystemAssigned"}  # as the built-in policy for Arc clusters does
        await self._call(write.method, f"{path}?api-version={version}", body)

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    async def _list(self, cluster_id: str, kind: Kind) -> list[Json]:
        """Every page. Raises Rejected where the next one would lead elsewhere."""
        path, version = _path(cluster_id, kind, "")
        address = f"{path}?api-version={version}"
        listed: list[Json] = []
        for _ in range(_MOST_PAGES):
            page = (await self._call("GET", address)).json()
            listed += page.get("value") or []
            following = str(page.get("nextLink") or "")
            if not following:
                break
            if not following.startswith(f"{self._base_url}/"):
                raise Rejected("the next page is not Azure Resource Manager's", code="InvalidNextLink")
            address = following.removeprefix(self._base_url)
        return listed

    async def _find(self, path: str, version: str) -> Json | None:
        """None where the resource itself is not there; a cluster that is not there is another thing."""
        try:
            body: Json = (await self._call("GET", f"{path}?api-version={version}")).json()
        except Rejected as error:
            if error.status == 404 and error.code != "ParentResourceNotFound":
                return None
            raise
        return body

    async def _call(self, method: str, address: str, body: Json | None = None) -> "AsyncHttpResponse":
        from azure.core.exceptions import HttpResponseError
        from azure.core.rest import HttpRequest
        from azure.mgmt.core.exceptions import ARMErrorFormat

        with azure_errors("Azure Resource Manager"):
            response = await self._client().send_request(HttpRequest(method, f"{self._base_url}{address}", json=body))
            if response.status_code >= 400:
                raise HttpResponseError(response=response, error_format=ARMErrorFormat)
            return response

    def _client(self) -> "AsyncPipelineClient[HttpRequest, AsyncHttpResponse]":
        if self._opened is None:
            from azure.core import AsyncPipelineClient
            from azure.core.pipeline import policies
            from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

            self._opened = AsyncPipelineClient(
                self._base_url,
                policies=[
                    policies.RequestIdPolicy(),
                    policies.UserAgentPolicy("sluice"),
                    policies.ContentDecodePolicy(),
                    AsyncARMChallengeAuthenticationPolicy(self._credential, self._scope),
                ],
                connection_timeout=10,
                read_timeout=30,
            )
        return self._opened


def _checked(cluster_id: str) -> str:
    if not _CLUSTER_ID.fullmatch(cluster_id):
        raise Rejected("not the resource id of a connected cluster", code="InvalidResourceId")
    return cluster_id


def _path(cluster_id: str, kind: Kind, name: str) -> tuple[str, str]:
    """Of one resource, or of all of a kind, and the version of its API."""
    if name and not re.fullmatch(_NAME, name, re.ASCII):
        raise Rejected("not the name of a resource", code="InvalidResourceName")
    collection, version = _COLLECTIONS[kind]
    whole = f"{_checked(cluster_id)}/providers/Microsoft.KubernetesConfiguration/{collection}"
    return (f"{whole}/{name}" if name else whole), version


def _found(body: Json) -> Found:
    return Found(name=str(body.get("name") or ""), properties=body.get("properties") or {})


def _cluster(cluster_id: str, body: Json) -> Cluster:
    properties = body.get("properties") or {}
    _, _, subscription, _, resource_group, *_ = cluster_id.lower().split("/")
    return Cluster(
        id=cluster_id.lower(),
        cluster_name=str(body.get("name") or ""),
        subscription=subscription,
        resource_group=resource_group,
        location=str(body.get("location") or ""),
        distribution=str(properties.get("distribution") or ""),
        kubernetes_version=str(properties.get("kubernetesVersion") or ""),
        tags={str(name): str(value) for name, value in (body.get("tags") or {}).items()},
        connectivity=str(properties.get("connectivityStatus") or ""),
        kind=str(body.get("kind") or ""),
    )
