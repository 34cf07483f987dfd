"""Azure Resource Manager: writing a revision to a fluxConfiguration, through Microsoft's client."""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from shared.azure.errors import azure_errors
from shared.azure.inventory import seen
from shared.azure.resource_graph import observation
from shared.domain.clock import Clock
from shared.domain.errors import Rejected
from shared.domain.fleet import Seen
from shared.domain.fleet_changes import Writer
from shared.domain.observations import Observation
from shared.domain.pins import Pin
from shared.domain.rollouts import Target

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.mgmt.kubernetesconfiguration.fluxconfigurations.aio import KubernetesConfigurationFluxConfigurationsMgmtClient
    from azure.mgmt.kubernetesconfiguration.fluxconfigurations.aio.operations import FluxConfigurationsOperations

API_VERSION = "2025-04-01"
# What Azure allows in names, and no "." or "..": a name is part of the path of a request that carries our token.
_NAME = r"(?!\.{1,2}(?:/|$))[\w.()-]+"
_RESOURCE_ID = re.compile(
    rf"/subscriptions/(?P<subscription>{_NAME})/resourcegroups/(?P<group>{_NAME})/providers/(?P<rp>{_NAME})/(?P<kind>[a-z]+)"
    rf"/(?P<cluster>{_NAME})/providers/microsoft\.kubernetesconfiguration/fluxconfigurations/(?P<name>{_NAME})",
    re.IGNORECASE | re.ASCII,
)


class ArmResourceManager:
    """Implements ports.ResourceManager and ports.Restorations.

    One client a subscription, without retries of its own: a failed write goes back to the queue, where it holds no instance and keeps
    the pace.
    """

    def __init__(self, credential: "AsyncTokenCredential", base_url: str, audience: str, clock: Clock) -> None:
        self._credential = credential
        self._base_url = base_url
        self._scope = f"{audience}/.default"
        self._clock = clock
        self._clients: dict[str, KubernetesConfigurationFluxConfigurationsMgmtClient] = {}

    async def pin(self, target: Target, pin: Pin) -> None:
        await self._write(target.configuration_id, pin, {})

    async def restore(self, configuration_id: str, pin: Pin, *, resume: bool) -> None:
        await self._write(configuration_id, pin, {"suspend": False} if resume else {})

    async def last_writer(self, configuration_id: str) -> Writer | None:
        """As systemData has it (azure-rest-api-specs, common-types: lastModifiedBy is a sign-in name, or an application's id)."""
        configurations, where = self._at(configuration_id)
        try:
            with azure_errors("Azure Resource Manager"):
                found = (await configurations.get(*where)).system_data
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        return Writer(by=found.last_modified_by, at=found.last_modified_at) if found and found.last_modified_by else None

    async def _write(self, configuration_id: str, pin: Pin, more: dict[str, Any]) -> None:
        """The operation is not waited for: for a cluster that is away it stays open for 48 hours.

        Where there are values to set, the fluxConfiguration is read first: a PATCH that names a kustomization which was taken away
        since the planning would make it anew, of the whole repository.
        """
        configurations, where = self._at(configuration_id)
        with azure_errors("Azure Resource Manager"):
            present: Collection[str] = ()
            if pin.substitutions and (found := (await configurations.get(*where)).properties):
                present = found.kustomizations or ()
            # A mapping, not a model: of a model's fields those that are None would be left out.
            await configurations.begin_update(*where, {"properties": _properties(pin, present) | more}, polling=False)

    async def observe(self, configuration_id: str) -> Observation:
        """Implements ports.FluxConfigurations, as `seen` does."""
        found = await self._find(configuration_id)
        return Observation.missing(self._clock()) if found is None else observation(_row(found), self._clock())

    async def seen(self, configuration_id: str) -> Seen | None:
        found = await self._find(configuration_id)
        if found is None:
            return None
        name = configuration_id.rsplit("/", 1)[-1]
        return seen({"id": configuration_id, "configuration": name, **_row(found), **_source(found)})

    async def _find(self, configuration_id: str) -> dict[str, Any] | None:
        """Its properties; None where it is not there."""
        configurations, where = self._at(configuration_id)
        try:
            with azure_errors("Azure Resource Manager"):
                found = await configurations.get(*where)
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        return found.as_dict().get("properties") or {}

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    def _at(self, configuration_id: str) -> "tuple[FluxConfigurationsOperations, tuple[str, str, str, str, str]]":
        """The client for a fluxConfiguration, and its place as that wants it. Raises Rejected where the id is none."""
        resource = _RESOURCE_ID.fullmatch(configuration_id)
        if resource is None:
            raise Rejected("not the resource id of a fluxConfiguration", code="InvalidResourceId")
        where = (resource["group"], resource["rp"], resource["kind"], resource["cluster"], resource["name"])
        return self._client(resource["subscription"]).flux_configurations, where

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


def _properties(pin: Pin, present: Collection[str]) -> dict[str, Any]:
    """The merge patch. The reference is written whole, so that nothing of the former one takes precedence: in Git commit, semver,
    tag, branch, of an artifact digest, semver, tag (azure-rest-api-specs, RepositoryRefDefinition, OCIRepositoryRefDefinition).
    The API wants a commit together with its branch.
    """
    properties: dict[str, Any] = {}
    if pin.kind == "OCIRepository":
        reference = {"tag": pin.tag, "semver": None, "digest": f"sha256:{pin.revision}"}
        properties["ociRepository"] = {"repositoryRef": reference}
    else:
        branch, commit = (None, None) if pin.tag else (pin.branch, pin.revision)
        reference = {"branch": branch, "tag": pin.tag, "semver": None, "commit": commit}
        properties["gitRepository"] = {"repositoryRef": reference}
    if values := {name: values for name, values in pin.substitutions.items() if name in present}:
        properties["kustomizations"] = {name: {"postBuild": {"substitute": each}} for name, each in values.items()}
    return properties


def _row(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties under the names that the query `configurations` gives them."""
    return {
        "compliance": properties.get("complianceState"),
        "revision": properties.get("sourceSyncedCommitId"),
        "provisioning": properties.get("provisioningState"),
        "sourceUpdatedAt": properties.get("sourceUpdatedAt"),
        "statusUpdatedAt": properties.get("statusUpdatedAt"),
        "statuses": properties.get("statuses"),
        "errorMessage": properties.get("errorMessage"),
    }


#: Where a fluxConfiguration keeps its source, by sourceKind (azure-rest-api-specs, FluxConfiguration).
_SOURCES = {"OCIRepository": "ociRepository", "Bucket": "bucket", "AzureBlob": "azureBlob"}


def _source(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What it follows and sets, under the names that the query `fleet` gives it."""
    kind = properties.get("sourceKind")
    source = properties.get(_SOURCES.get(str(kind), "gitRepository")) or {}
    reference = source.get("repositoryRef") or {}
    return {
        "sourceKind": kind,
        "url": source.get("url"),
        **{name: reference.get(name) for name in ("branch", "tag", "semver", "commit", "digest")},
        "suspend": str(properties.get("suspend") or False),
        "kustomizations": properties.get("kustomizations"),
    }
