"""Azure Resource Manager: writing a revision to a fluxConfiguration, through Microsoft's client."""

import re
from typing import TYPE_CHECKING

from shared.azure.errors import azure_errors
from shared.domain.errors import Rejected
from shared.domain.rollouts import Target

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.mgmt.kubernetesconfiguration.fluxconfigurations.aio import KubernetesConfigurationFluxConfigurationsMgmtClient

API_VERSION = "2025-04-01"
# What Azure allows in names, and no "." or "..": a name is part of the path of a request that carries our token.
_NAME = r"(?!\.{1,2}(?:/|$))[\w.()-]+"
_RESOURCE_ID = re.compile(
    rf"/subscriptions/(?P<subscription>{_NAME})/resourcegroups/(?P<group>{_NAME})/providers/(?P<rp>{_NAME})/(?P<kind>[a-z]+)"
    rf"/(?P<cluster>{_NAME})/providers/microsoft\.kubernetesconfiguration/fluxconfigurations/(?P<name>{_NAME})",
    re.IGNORECASE | re.ASCII,
)


class ArmResourceManager:
    """Implements ports.ResourceManager. One client a subscription, without retries of its own: a failed write goes back to the
    queue, where it holds no instance and keeps the pace.
    """

    def __init__(self, credential: "AsyncTokenCredential", base_url: str, audience: str) -> None:
        self._credential = credential
        self._base_url = base_url
        self._scope = f"{audience}/.default"
        self._clients: dict[str, KubernetesConfigurationFluxConfigurationsMgmtClient] = {}

    async def pin(self, target: Target, *, branch: str | None, tag: str | None, commit: str) -> None:
        """The commit is set together with its branch, as the API asks; a tag takes the place of both.

        The operation is not waited for: for a cluster that is away it stays open for 48 hours.
        """
        resource = _RESOURCE_ID.fullmatch(target.configuration_id)
        if resource is None:
            raise Rejected("not the resource id of a fluxConfiguration", code="InvalidResourceId")
        ref = {"tag": tag, "branch": None, "commit": None} if tag else {"branch": branch, "commit": commit, "tag": None}
        with azure_errors("Azure Resource Manager"):
            await self._client(resource["subscription"]).flux_configurations.begin_update(
                resource["group"],
                resource["rp"],
                resource["kind"],
                resource["cluster"],
                resource["name"],
                {"properties": {"gitRepository": {"repositoryRef": ref}}},
                polling=False,
            )

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    def _client(self, subscription: str) -> "KubernetesConfigurationFluxConfigurationsMgmtClient":
        if subscription not in self._clients:
            from azure.mgmt.kubernetesconfiguration.fluxconfigurations.aio import KubernetesConfigurationFluxConfigurationsMgmtClient

            self._clients[subscription] = KubernetesConfigurationFluxConfigurationsMgmtClient(
                self._credential,
                subscription,
                base_url=self._base_url,
                credential_scopes=[self._scope],
                api_version=API_VERSION,
                retry_total=0,
                connection_timeout=10,
                read_timeout=30,
            )
        return self._clients[subscription]
