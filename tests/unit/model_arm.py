"""Azure Resource Manager as far as onboarding knows it: what is written is merged, defaults are filled in, operations end later."""

import copy
from typing import Any

from shared.domain.baselines import Kind
from shared.domain.cluster_resources import Found, Write, flux_among
from shared.domain.clusters import Cluster

Json = dict[str, Any]
_FLUX_DEFAULTS: Json = {"scope": "cluster", "namespace": "default", "suspend": False, "statuses": []}
_SOURCE_DEFAULTS: Json = {"timeoutInSeconds": 600, "syncIntervalInSeconds": 600, "localAuthRef": None, "httpsUser": None}
_KUSTOMIZATION_DEFAULTS: Json = {"path": "", "dependsOn": None, "prune": False, "force": False, "wait": True, "postBuild": None}
_SOURCES = ("gitRepository", "bucket", "azureBlob", "ociRepository")


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


class ModelArm:
    """One cluster. `is_up`: its agents take up what is asked. What a write asks counts only where it changes something."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster: Cluster | None = cluster
        self.asked: dict[tuple[Kind, str], Json] = {}
        self.state: dict[tuple[Kind, str], Json] = {}
        self.secrets: dict[tuple[Kind, str], Json] = {}
        self.writes: list[Write] = []
        self.vain: list[Write] = []  #: changed nothing

    def found(self, kind: Kind, name: str) -> Found | None:
        """As GET shows it: every default spelt out, and names in letters of Azure's own."""
        key = (kind, name)
        if key not in self.asked:
            return None
        asked = copy.deepcopy(self.asked[key])
        if kind == "extension":
            asked["releaseTrain"] = str(asked.get("releaseTrain", "Stable")).lower()
            asked["extensionType"] = "Microsoft.Flux"
            return Found(name=name, properties={**asked, "currentVersion": "1.24.1", **self.state[key]})
        for source in _SOURCES:
            asked[source] = {**_SOURCE_DEFAULTS, **asked[source]} if asked.get(source) else None
        asked["kustomizations"] = {n: {**_KUSTOMIZATION_DEFAULTS, **body} for n, body in asked.get("kustomizations", {}).items()}
        return Found(name=name, properties={**_FLUX_DEFAULTS, **asked, **self.state[key]})

    def extension(self) -> Found | None:
        return flux_among([found for kind, name in self.asked if kind == "extension" and (found := self.found(kind, name))])

    def has_configurations(self) -> bool:
        return any(kind == "configuration" for kind, _ in self.asked)

    def write(self, write: Write) -> None:
        key = (write.kind, write.name)
        self.writes.append(write)
        if write.method == "DELETE":
            self.asked.pop(key, None)
            self.state.pop(key, None)
            return
        properties = dict(write.properties)
        protected = properties.pop("configurationProtectedSettings", {})
        before = self.asked.get(key)
        after = merge({} if write.method == "PUT" else before, properties)
        is_better = self.state.get(key, {}).get("provisioningState") == "Failed" or protected != {}
        if after == before and not is_better:
            self.vain.append(write)
        self.asked[key] = after
        self.secrets.setdefault(key, {}).update(protected)
        self.state[key] = {"provisioningState": "Creating" if before is None else "Updating", "complianceState": "Pending"}

    def settle(self) -> None:
        """The agents take up all that is asked, and it works."""
        for key, asked in self.asked.items():
            compliance = "Suspended" if asked.get("suspend") else "Compliant"
            self.state[key] = {"provisioningState": "Succeeded", "complianceState": compliance}

    def say(self, kind: Kind, name: str, **state: Any) -> None:
        """What Azure says of a resource from now on."""
        self.state[kind, name] = {**self.state[kind, name], **state}

    def have(self, kind: Kind, name: str, properties: Json) -> None:
        """Somebody else's, in order."""
        self.asked[kind, name] = properties
        self.state[kind, name] = {"provisioningState": "Succeeded", "complianceState": "Compliant"}
