"""Microsoft.Kubernetes/connectedClusters: read, list, and the few properties a PATCH may change."""

from aiohttp import web

from local.azure.answers import AzureError, json_response, read_object
from local.azure.arm.addresses import Address
from local.azure.arm.documents import cluster_document
from local.azure.arm.pages import page
from local.azure.arm.stamps import modified
from local.azure.cloud import Cloud
from local.azure.resources import Cluster
from local.azure.tokens import Principal

PAGE_SIZE = 500
PATCHABLE = {"distribution", "distributionVersion", "azureHybridBenefit", "gateway"}


class ConnectedClusters:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def find(self, address: Address) -> Cluster:
        """Raises AzureError 404 ResourceNotFound."""
        cluster = self._cloud.cluster(address.cluster_id)
        if cluster is None:
            raise AzureError(
                404,
                "ResourceNotFound",
                f"The Resource 'Microsoft.Kubernetes/connectedClusters/{address.cluster}' under resource group"
                f" '{address.resource_group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
            )
        return cluster

    async def get(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        return json_response(cluster_document(self.find(address)))

    async def list(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        scope = (address.subscription.lower(), address.resource_group.lower())
        found = [
            cluster_document(cluster)
            for cluster in self._cloud.clusters
            if cluster.subscription.lower() == scope[0] and scope[1] in ("", cluster.resource_group.lower())
        ]
        return page(request, found, PAGE_SIZE)

    async def update(self, request: web.Request, address: Address, principal: Principal) -> web.Response:
        """The tags given replace the tags there were."""
        cluster = self.find(address)
        body = await read_object(request)
        tags = body.get("tags", cluster.tags)
        properties = body.get("properties", {})
        if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
            raise AzureError(400, "InvalidTagsFormat", "The tags must be a map of strings.")
        refused = sorted(set(body) - {"tags", "properties"}) + sorted(set(properties) - PATCHABLE)
        if refused:
            raise AzureError(400, "InvalidRequestContent", f"Could not find member '{refused[0]}' on the patch object.")
        cluster.tags = tags
        cluster.properties = {**cluster.properties, **properties}
        cluster.system_data = modified(cluster.system_data, principal)
        self._cloud.touch(cluster)
        return json_response(cluster_document(cluster))
