"""What a caller may write: PUT bodies checked and PATCH bodies merged, as the resource provider does."""

from typing import Any

from local.azure.answers import AzureError
from local.azure.resources import SOURCE_OF_KIND, JsonObject

FLUX_PATCH = frozenset(
    {
        "sourceKind",
        "suspend",
        "gitRepository",
        "bucket",
        "azureBlob",
        "ociRepository",
        "kustomizations",
        "configurationProtectedSettings",
    }
)
FLUX_PUT = FLUX_PATCH | {"scope", "namespace", "waitForReconciliation", "reconciliationWaitDuration"}
EXTENSION_PATCH = frozenset(
    {
        "autoUpgradeMinorVersion",
        "autoUpgradeMode",
        "releaseTrain",
        "version",
        "configurationSettings",
        "configurationProtectedSettings",
    }
)
EXTENSION_PUT = EXTENSION_PATCH | {"extensionType", "scope", "aksAssignedIdentity", "managementDetails"}
FLUX_DEFAULTS: JsonObject = {
    "scope": "cluster",
    "namespace": "default",
    "sourceKind": "GitRepository",
    "suspend": False,
    "waitForReconciliation": None,
    "reconciliationWaitDuration": None,
}


def merge(target: Any, patch: Any) -> Any:
    """JSON Merge Patch, RFC 7396: null removes, an object is merged, anything else replaces.

    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}})
    {'a': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def properties_of(body: JsonObject) -> JsonObject:
    """Raises AzureError 400 when `properties` is not an object."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise AzureError(400, "InvalidRequestContent", "The request body must have an object 'properties'.")
    return properties


def patch_of(body: JsonObject, allowed: frozenset[str]) -> JsonObject:
    """The properties to merge. Raises AzureError 400 for one that a PATCH must not carry."""
    extra = set(body) - {"properties"}
    properties = properties_of(body)
    refused = sorted(extra) + sorted(set(properties) - allowed)
    if refused:
        raise AzureError(400, "InvalidRequestContent", f"Could not find member '{refused[0]}' on the patch object.")
    return properties


def check_flux_configuration(properties: JsonObject) -> None:
    """Raises AzureError 400 for a source that is missing or a reference that cannot be resolved."""
    kind = properties.get("sourceKind", "GitRepository")
    if kind not in SOURCE_OF_KIND:
        raise AzureError(400, "InvalidParameter", f"'{kind}' is not a valid sourceKind.")
    if properties.get("scope", "cluster") not in ("cluster", "namespace"):
        raise AzureError(400, "InvalidParameter", "scope must be 'cluster' or 'namespace'.")
    source = properties.get(SOURCE_OF_KIND[kind])
    if not isinstance(source, dict) or not source.get("url"):
        raise AzureError(400, "InvalidParameter", f"{SOURCE_OF_KIND[kind]}.url is required for sourceKind {kind}.")
    if kind == "GitRepository":
        _check_git_reference(source.get("repositoryRef"))
    _check_kustomizations(properties.get("kustomizations", {}))


def _check_git_reference(reference: Any) -> None:
    if not isinstance(reference, dict) or not any(reference.get(name) for name in ("branch", "tag", "semver", "commit")):
        raise AzureError(400, "InvalidParameter", "gitRepository.repositoryRef must name a branch, tag, semver or commit.")
    if reference.get("commit") and not reference.get("branch"):
        raise AzureError(400, "InvalidParameter", "gitRepository.repositoryRef.commit must be combined with branch.")


def _check_kustomizations(kustomizations: Any) -> None:
    if not isinstance(kustomizations, dict):
        raise AzureError(400, "InvalidRequestContent", "kustomizations must be an object.")
    for name, body in kustomizations.items():
        if not isinstance(body, dict):
            raise AzureError(400, "InvalidRequestContent", f"Kustomization '{name}' must be an object.")
        for other in body.get("dependsOn") or ():
            if other not in kustomizations:
                raise AzureError(400, "InvalidParameter", f"Kustomization '{name}' depends on unknown '{other}'.")


def check_extension(properties: JsonObject) -> None:
    """Raises AzureError 400 unless it names a type and its settings are strings."""
    if not properties.get("extensionType"):
        raise AzureError(400, "InvalidParameter", "extensionType is required.")
    settings = properties.get("configurationSettings") or {}
    if not all(isinstance(value, str) for value in settings.values()):
        raise AzureError(400, "InvalidRequestContent", "configurationSettings must be a map of strings.")
