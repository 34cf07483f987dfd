"""Resources as ARM's JSON. Shapes: azure-rest-api-specs kubernetesconfiguration 2025-04-01 and hybridkubernetes 2026-05-01."""

from typing import Any

from local.azure.resources import (
    Cluster,
    Condition,
    Extension,
    FluxConfiguration,
    JsonObject,
    Observation,
    ProxyResource,
)

SOURCES = ("gitRepository", "bucket", "azureBlob", "ociRepository")


def cluster_document(cluster: Cluster) -> JsonObject:
    return {
        "id": cluster.id,
        "name": cluster.name,
        "type": "Microsoft.Kubernetes/connectedClusters",
        "location": cluster.location,
        **({"kind": cluster.kind} if cluster.kind else {}),
        "tags": cluster.tags,
        "identity": {"type": "SystemAssigned"},
        "systemData": cluster.system_data,
        "properties": {
            **cluster.properties,
            "provisioningState": "Succeeded",
            "connectivityStatus": cluster.connectivity,
            "lastConnectivityTime": cluster.last_connectivity_time,
            "kubernetesVersion": cluster.kubernetes_version,
            "distribution": cluster.distribution,
            "agentVersion": "1.28.2",
            "totalNodeCount": 3,
            "totalCoreCount": 12,
        },
    }


def proxy_document(resource: ProxyResource) -> JsonObject:
    if isinstance(resource, FluxConfiguration):
        properties = flux_configuration_properties(resource)
        extra: JsonObject = {}
    else:
        properties = extension_properties(resource)
        extra = {"identity": resource.identity} if isinstance(resource, Extension) else {}
    return {
        "id": resource.id,
        "name": resource.name,
        "type": f"{resource.provider}/{resource.collection}",
        "systemData": resource.system_data,
        **extra,
        "properties": properties,
    }


def flux_configuration_properties(resource: FluxConfiguration) -> JsonObject:
    """What was asked for, with every default spelt out, and what the agent reports of it."""
    asked = resource.properties
    seen = resource.observation
    sources: JsonObject = {name: _source(name, asked.get(name)) for name in SOURCES}
    kustomizations = {name: _kustomization(name, body) for name, body in asked.get("kustomizations", {}).items()}
    return {
        **asked,
        **sources,
        "kustomizations": kustomizations,
        "configurationProtectedSettings": None,
        "statuses": _statuses(resource, seen),
        "repositoryPublicKey": "",
        "sourceSyncedCommitId": seen.synced,
        "sourceUpdatedAt": seen.source_updated_at,
        "statusUpdatedAt": seen.status_updated_at,
        "complianceState": seen.compliance_state,
        "provisioningState": resource.provisioning_state,
        "errorMessage": "",
    }


def extension_properties(resource: ProxyResource) -> JsonObject:
    asked = resource.properties
    return {
        "autoUpgradeMinorVersion": True,
        "releaseTrain": "Stable",
        "isSystemExtension": False,
        **asked,
        "configurationProtectedSettings": dict.fromkeys(resource.protected_settings, ""),
        "currentVersion": asked.get("version") or "1.24.1",
        "provisioningState": resource.provisioning_state,
        "statuses": [],
        "errorInfo": None,
    }


def _source(name: str, asked: JsonObject | None) -> JsonObject | None:
    if asked is None:
        return None
    document: JsonObject = {"timeoutInSeconds": 600, "syncIntervalInSeconds": 600, "localAuthRef": None, **asked}
    if name == "gitRepository":
        document["repositoryRef"] = _reference(asked, ("branch", "tag", "semver", "commit"))
        document = {"sshKnownHosts": None, "httpsUser": None, "httpsCACert": None, "provider": None, **document}
    elif name == "ociRepository":
        document["repositoryRef"] = _reference(asked, ("tag", "semver", "digest"))
    return document


def _reference(asked: JsonObject, names: tuple[str, ...]) -> dict[str, Any]:
    given = asked.get("repositoryRef") or {}
    return {name: given.get(name) for name in names}


def _kustomization(name: str, asked: JsonObject | None) -> JsonObject:
    return {
        "path": "",
        "dependsOn": None,
        "timeoutInSeconds": 600,
        "syncIntervalInSeconds": 600,
        "retryIntervalInSeconds": None,
        "prune": False,
        "force": False,
        "wait": True,
        "postBuild": None,
        **(asked or {}),
        "name": name,
    }


def _statuses(resource: FluxConfiguration, seen: Observation) -> list[JsonObject]:
    statuses = []
    if seen.source is not None:
        kind = resource.source_kind
        statuses.append(_status(resource, resource.name, kind, seen.source))
    for name, condition in seen.kustomizations.items():
        statuses.append(_status(resource, f"{resource.name}-{name}", "Kustomization", condition))
    return statuses


def _status(resource: FluxConfiguration, name: str, kind: str, condition: Condition) -> JsonObject:
    return {
        "name": name,
        "namespace": resource.properties.get("namespace", "default"),
        "kind": kind,
        "complianceState": "Compliant" if condition.ready else "Non-Compliant",
        "appliedBy": None,
        "helmReleaseProperties": None,
        "statusConditions": [
            {
                "type": "Ready",
                "status": "True" if condition.ready else "False",
                "reason": condition.reason,
                "message": condition.message,
                "lastTransitionTime": condition.at,
            }
        ],
    }
