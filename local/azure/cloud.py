"""The cloud's state, in memory, with the few ways to reach into it."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from local.azure.policies import Policies
from local.azure.resources import Cluster, Operation, ProxyResource

KEPT_OPERATIONS = 50_000


class Cloud:
    """Finds resources without regard to case, as ARM does, and remembers which have changed since they were last read."""

    def __init__(self) -> None:
        self.subscriptions: set[str] = set()
        self.policies = Policies()
        self._clusters: dict[str, Cluster] = {}
        self._operations: OrderedDict[str, Operation] = OrderedDict()
        self._changed: OrderedDict[str, tuple[float, Cluster | ProxyResource]] = OrderedDict()

    @property
    def clusters(self) -> Iterable[Cluster]:
        return self._clusters.values()

    def add_cluster(self, cluster: Cluster) -> None:
        self.subscriptions.add(cluster.subscription.lower())
        self._clusters[cluster.id.lower()] = cluster
        self.touch(cluster)

    def cluster(self, resource_id: str) -> Cluster | None:
        return self._clusters.get(resource_id.lower())

    def clusters_named(self, name: str) -> list[Cluster]:
        return [cluster for cluster in self._clusters.values() if cluster.name.lower() == name.lower()]

    def children(self) -> Iterator[ProxyResource]:
        return (child for cluster in self._clusters.values() for child in cluster.children.values())

    def add_child(self, child: ProxyResource) -> None:
        child.cluster.children[child.key] = child
        self.touch(child)

    def remove_child(self, child: ProxyResource) -> None:
        child.cluster.children.pop(child.key, None)
        self.touch(child)

    def exists(self, resource: Cluster | ProxyResource) -> bool:
        if isinstance(resource, Cluster):
            return resource.id.lower() in self._clusters
        return resource.cluster.children.get(resource.key) is resource

    def add_operation(self, operation: Operation) -> None:
        self._operations[operation.id] = operation
        while len(self._operations) > KEPT_OPERATIONS:
            self._operations.popitem(last=False)

    def operation(self, operation_id: str) -> Operation | None:
        return self._operations.get(operation_id.lower())

    def touch(self, resource: Cluster | ProxyResource) -> None:
        """Marks a resource changed (or gone); the time of its first unread change is kept."""
        self._changed.setdefault(resource.id.lower(), (time.monotonic(), resource))

    def take_changed(self, lag_seconds: float) -> list[Cluster | ProxyResource]:
        """The resources that changed at least `lag_seconds` ago, each once, and forgets that they did."""
        until = time.monotonic() - lag_seconds
        taken = []
        while self._changed:
            key, (at, resource) = next(iter(self._changed.items()))
            if at > until:
                break
            del self._changed[key]
            taken.append(resource)
        return taken
