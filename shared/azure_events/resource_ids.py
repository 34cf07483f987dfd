"""ARM ids in events, whose case differs from sample to sample: compared, and kept, in lower case."""

import re
from typing import Literal

from shared.domain.record import Record

Kind = Literal["cluster", "fluxConfiguration", "extension"]

_NAME = r"[\w.()-]+"
_CLUSTER_TYPES = (
    r"microsoft\.kubernetes/connectedclusters|microsoft\.containerservice/managedclusters"
    r"|microsoft\.hybridcontainerservice/provisionedclusters"
)
_RESOURCE = re.compile(
    rf"(?P<cluster>/subscriptions/(?P<subscription>{_NAME})/resourcegroups/{_NAME}/providers/(?:{_CLUSTER_TYPES})/{_NAME})"
    rf"(?:/providers/microsoft\.kubernetesconfiguration/(?P<collection>fluxconfigurations|extensions)/{_NAME})?",
    re.ASCII,
)
_KINDS: dict[str | None, Kind] = {None: "cluster", "fluxconfigurations": "fluxConfiguration", "extensions": "extension"}


class Resource(Record, frozen=True):
    """A cluster, or what Microsoft.KubernetesConfiguration keeps on one."""

    id: str
    kind: Kind
    cluster_id: str
    subscription: str


def resource_of(arm_id: str) -> Resource | None:
    """None for every other resource, also for one below a cluster."""
    lower = arm_id.lower()
    found = _RESOURCE.fullmatch(lower)
    if found is None:
        return None
    return Resource(id=lower, kind=_KINDS[found["collection"]], cluster_id=found["cluster"], subscription=found["subscription"])
