"""ARM resource ids and URLs, read without regard to case."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """What a URL names; a part that it does not reach is empty. Collections and providers are in lower case."""

    subscription: str
    resource_group: str = ""
    cluster: str = ""
    collection: str = ""
    name: str = ""
    operation: str = ""

    @property
    def cluster_id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Kubernetes/connectedClusters/{self.cluster}"
        )


_CLUSTERS = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(/resourcegroups/(?P<resource_group>[^/]+))?"
    r"/providers/microsoft\.kubernetes/connectedclusters(/(?P<cluster>[^/]+))?"
    r"(/providers/microsoft\.kubernetesconfiguration/(?P<collection>fluxconfigurations|extensions)"
    r"(/(?P<name>[^/]+)(/operations/(?P<operation>[^/]+))?)?)?/?",
    re.IGNORECASE,
)


def parse(path: str) -> Address | None:
    """None for a path that names nothing the simulator has.

    >>> parse("/subscriptions/S/resourceGroups/R/providers/Microsoft.Kubernetes/connectedClusters/C").cluster
    'C'
    """
    match = _CLUSTERS.fullmatch(path)
    if match is None:
        return None
    parts = {name: value or "" for name, value in match.groupdict().items()}
    if parts["cluster"] and not parts["resource_group"]:
        return None
    return Address(**{**parts, "collection": parts["collection"].lower()})
