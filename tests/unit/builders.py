"""Values for tests: whole ones, of which a test names only what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.baselines import Piece, Wanted
from shared.domain.changes import Change, change_id
from shared.domain.checks import CheckResult
from shared.domain.clusters import Cluster
from shared.domain.gates import Gate
from shared.domain.observations import FluxConfiguration, Observation
from shared.domain.pins import Pin
from shared.domain.rollouts import Rollout, Rules, Stage, Target
from shared.domain.sources import canonical_url, source_id
from shared.domain.targets import scheduled

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://github.com/contoso/platform.git"
MAIN = "refs/heads/main"


RULES = Rules(compliance_within_seconds=600, grace_seconds=60, max_failures=0, redispatch_after_seconds=120)


def at(seconds: float) -> datetime:
    """NOW, so many seconds later."""
    return NOW + timedelta(seconds=seconds)


def sha(number: int) -> str:
    """A commit: always the same one for a number, and never the one that means none."""
    return f"{number + 1:040x}"


def a_change(number: int = 1, **fields: Any) -> Change:
    """The push that moved main from commit `number - 1` to commit `number`, at second `number`."""
    delivery = fields.pop("delivery", f"delivery-{number}")
    url, ref = fields.pop("url", URL), fields.pop("ref", MAIN)
    values: dict[str, Any] = {
        "id": change_id("platform", delivery, url, ref),
        "source": source_id(url),
        "url": canonical_url(url),
        "ref": ref,
        "kind": "updated",
        "before": sha(number - 1),
        "revision": sha(number),
        "forced": False,
        "pushed_at": at(number),
        "received_at": at(number),
        "receiver": "platform",
        "delivery": delivery,
        "paths": None,
        "author": "alice",
        "title": "Change the platform",
    }
    return Change(**values | fields)


def resource_id(number: int, *, subscription: str = "sub-1", name: str = "platform") -> str:
    cluster = f"/subscriptions/{subscription}/resourcegroups/edge/providers/microsoft.kubernetes/connectedclusters/cluster-{number:03}"
    return f"{cluster}/providers/microsoft.kubernetesconfiguration/fluxconfigurations/{name}"


def an_observation(seconds: float = 0, **fields: Any) -> Observation:
    """A look at NOW + `seconds`: compliant with commit 0, connected, reported at the same time."""
    values: dict[str, Any] = {
        "compliance": "Compliant",
        "revision": f"main@sha1:{sha(0)}",
        "provisioning": "Succeeded",
        "connectivity": "Connected",
        "observed_at": at(seconds),
        "reported_at": at(seconds),
    }
    return Observation(**values | fields)


def a_flux_configuration(number: int = 0, **fields: Any) -> FluxConfiguration:
    """On cluster `number`, following main of URL; every fifth one in the ring canary, else in prod."""
    name, subscription = fields.pop("name", "platform"), fields.pop("subscription", "sub-1")
    whole = resource_id(number, subscription=subscription, name=name)
    values: dict[str, Any] = {
        "id": whole,
        "name": name,
        "cluster_id": whole.partition("/providers/microsoft.kubernetesconfiguration")[0],
        "cluster_name": f"cluster-{number:03}",
        "subscription": subscription,
        "resource_group": "edge",
        "location": "westeurope",
        "distribution": "k3s",
        "kubernetes_version": "1.31.2",
        "tags": {"ring": "canary" if number % 5 == 0 else "prod"},
        "url": URL,
        "branch": "main",
        "tag": "",
        "semver": "",
        "commit": "",
        "observation": an_observation(),
        "namespace": "cluster-config",
    }
    return FluxConfiguration(**values | fields)


def a_pin(number: int) -> Pin:
    return Pin(revision=sha(number), branch="main")


def a_target(number: int = 0, **fields: Any) -> Target:
    values: dict[str, Any] = {
        "id": f"target-{number:03}",
        "rollout_id": "rollout-1",
        "stage": 0,
        "order": number,
        "configuration_id": resource_id(number),
        "configuration": "platform",
        "cluster": f"cluster-{number:03}",
        "subscription": "sub-1",
        "pin": a_pin(1),
        "previous": a_pin(0),
        "namespace": "cluster-config",
    }
    return scheduled(Target(**values | fields), RULES)


def a_stage(name: str = "canary", total: int = 1, **fields: Any) -> Stage:
    values: dict[str, Any] = {
        "name": name,
        "total": total,
        "max_concurrency": max(1, total),
        "after_wait_seconds": 0,
        "rules": RULES,
        "counts": {"pending": total} if total else {},
    }
    return Stage(**values | fields)


def a_gate(**fields: Any) -> Gate:
    """An approval, asked for at NOW."""
    values: dict[str, Any] = {"name": "go", "type": "approval", "approvers": ("platform-leads",), "asked_at": NOW}
    return Gate(**values | fields)


def a_check(state: str = "success", seconds: float = 0, **fields: Any) -> CheckResult:
    """Of ci/build on commit 1, at NOW + `seconds`."""
    values: dict[str, Any] = {"source": source_id(URL), "revision": sha(1), "name": "ci/build", "state": state, "at": at(seconds)}
    return CheckResult(**values | fields)


def a_rollout(*stages: Stage, **fields: Any) -> Rollout:
    """To commit 1, made at NOW."""
    values: dict[str, Any] = {
        "id": "rollout-1",
        "route": "platform",
        "source": source_id(URL),
        "url": canonical_url(URL),
        "ref": MAIN,
        "revision": sha(1),
        "change_id": "change-1",
        "sequence": 1,
        "author": "alice",
        "title": "Change the platform",
        "forced": False,
        "stages": stages or (a_stage(),),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Rollout(**values | fields)


def a_cluster(number: int = 0, **fields: Any) -> Cluster:
    subscription = fields.pop("subscription", "sub-1")
    values: dict[str, Any] = {
        "id": resource_id(number, subscription=subscription).partition("/providers/microsoft.kubernetesconfiguration")[0],
        "cluster_name": f"cluster-{number:03}",
        "subscription": subscription,
        "resource_group": "edge",
        "location": "westeurope",
        "distribution": "k3s",
        "kubernetes_version": "1.31.2",
        "tags": {"site": "berlin", "ring": "prod"},
        "connectivity": "Connected",
    }
    return Cluster(**values | fields)


def an_extension_piece(**settings: str) -> Piece:
    properties = {
        "extensionType": "microsoft.flux",
        "releaseTrain": "Stable",
        "autoUpgradeMinorVersion": True,
        "scope": {"cluster": {"releaseNamespace": "flux-system"}},
        "configurationSettings": {"multiTenancy.enforce": "true", **settings},
    }
    return Piece(kind="extension", name="flux", properties=properties)


def a_piece(name: str = "infra", *, secrets: dict[str, str] | None = None, kustomizations: Any = None, **source: Any) -> Piece:
    """A fluxConfiguration that follows main of URL."""
    properties = {
        "scope": "cluster",
        "namespace": f"flux-{name}",
        "sourceKind": "GitRepository",
        "gitRepository": {"url": URL, "repositoryRef": {"branch": "main"}, "timeoutInSeconds": 600, "syncIntervalInSeconds": 600, **source},
        "kustomizations": kustomizations or {name: {"path": f"./{name}", "prune": True, "dependsOn": []}},
    }
    return Piece(kind="configuration", name=name, properties=properties, secrets=secrets or {})


def a_wanted(*configurations: Piece, **fields: Any) -> Wanted:
    return Wanted(**{"baseline": "edge", "pieces": (an_extension_piece(), *configurations)} | fields)
