"""What Flux says on a cluster: the outcome of fetching a source and applying kustomizations, in Flux's words."""

from dataclasses import replace

from local.azure.clock import utc_text
from local.azure.faults import CommitFault, Faults
from local.azure.git_source import GitRepositories, ManifestError, Resolved
from local.azure.resources import Condition, FluxConfiguration, JsonObject, Observation

DEFAULT_MESSAGES = {
    "HealthCheckFailed": "health check failed after 5m0s: timeout waiting for: [Deployment/apps/web status: 'InProgress']",
    "BuildFailed": "kustomize build failed: accumulating resources: accumulation err='merging resources from"
    " 'web.yaml': may not add resource with an already registered id: Deployment.v1.apps/web.apps'",
    "ReconciliationFailed": "Deployment/apps/web dry-run failed (Invalid): spec.replicas: Invalid value: -1",
}


class Failure(Exception):
    """One kustomization fails with Flux's reason and message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def spoken_revision(configuration: FluxConfiguration, resolved: Resolved) -> str:
    legacy = configuration.cluster.legacy_revisions
    return resolved.legacy_revision if legacy else resolved.revision


def pending(seen: Observation) -> Observation:
    return replace(seen, compliance_state="Pending", status_updated_at=utc_text())


def source_failed(seen: Observation, message: str) -> Observation:
    """The source cannot be fetched: what was synced before stays in force."""
    now = utc_text()
    condition = Condition(ready=False, reason="GitOperationFailed", message=message, at=now)
    return replace(seen, compliance_state="Non-Compliant", source=condition, status_updated_at=now)


def fetched(configuration: FluxConfiguration, resolved: Resolved) -> Condition:
    revision = spoken_revision(configuration, resolved)
    if configuration.cluster.legacy_revisions:
        reason, message = "GitOperationSucceed", f"Fetched revision: {revision}"
    else:
        reason, message = "Succeeded", f"stored artifact for revision '{revision}'"
    return Condition(ready=True, reason=reason, message=message, at=utc_text())


async def apply_commit(configuration: FluxConfiguration, resolved: Resolved, repositories: GitRepositories, faults: Faults) -> Observation:
    """Builds and applies every kustomization in the order of its dependencies."""
    asked: JsonObject = configuration.properties.get("kustomizations", {})
    cluster = configuration.cluster
    fault = faults.for_commit(resolved.commit, cluster.name, cluster.tags)
    struck = next(reversed(asked), None) if fault else None
    revision = spoken_revision(configuration, resolved)
    conditions: dict[str, Condition] = {}
    for name in _in_dependency_order(asked):
        body = asked[name] or {}
        try:
            _check_dependencies(configuration, body, conditions)
            if configuration.source_kind == "GitRepository":
                await _check_build(repositories, str(configuration.source["url"]), resolved.commit, body)
            if fault and name == struck:
                raise _struck(fault)
            condition = Condition(True, "ReconciliationSucceeded", f"Applied revision: {revision}", utc_text())
        except Failure as failure:
            condition = Condition(ready=False, reason=failure.reason, message=str(failure), at=utc_text())
        conditions[name] = condition
    good = all(condition.ready for condition in conditions.values()) and not (fault and struck is None)
    now = utc_text()
    return Observation(
        compliance_state="Compliant" if good else "Non-Compliant",
        synced=revision,
        commit=resolved.commit,
        source=fetched(configuration, resolved),
        kustomizations={name: conditions[name] for name in asked},
        source_updated_at=now,
        status_updated_at=now,
    )


async def _check_build(repositories: GitRepositories, url: str, commit: str, body: JsonObject) -> None:
    try:
        await repositories.check_manifests(url, commit, str(body.get("path") or ""))
    except ManifestError as error:
        raise Failure(error.reason, str(error)) from error


def _check_dependencies(configuration: FluxConfiguration, body: JsonObject, conditions: dict[str, Condition]) -> None:
    for other in body.get("dependsOn") or ():
        if other not in conditions or not conditions[other].ready:
            namespace = configuration.properties.get("namespace", "default")
            text = f"dependency '{namespace}/{configuration.name}-{other}' is not ready"
            raise Failure("DependencyNotReady", text)


def _struck(fault: CommitFault) -> Failure:
    return Failure(fault.reason, fault.message or DEFAULT_MESSAGES.get(fault.reason, fault.reason))


def _in_dependency_order(asked: JsonObject) -> list[str]:
    """Dependencies first; the members of a cycle come last, where they wait for each other as they do in Flux."""
    ordered: list[str] = []
    waiting = list(asked)
    while waiting:
        ready = [name for name in waiting if all(other in ordered for other in (asked[name] or {}).get("dependsOn") or ())]
        ordered += ready or waiting
        waiting = [name for name in waiting if name not in ordered]
    return ordered
