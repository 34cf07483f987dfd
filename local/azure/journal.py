"""What the simulator saw: requests without bodies or tokens, counters, and the messages it accepted."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from local.azure.clock import utc_text

KEPT_REQUESTS = 20_000
KEPT_MESSAGES = 20_000


@dataclass(frozen=True)
class SeenRequest:
    at: str
    method: str
    path: str
    status: int


@dataclass
class Journal:
    requests: deque[SeenRequest] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    messages: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    by_method: Counter[str] = field(default_factory=Counter)
    by_type: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    throttled: int = 0

    def saw(self, method: str, path: str, status: int) -> None:
        self.requests.append(SeenRequest(utc_text(), method, path, status))
        self.by_method[method] += 1
        self.by_type[f"{method} {resource_type(path)}"] += 1
        self.by_status[str(status)] += 1
        self.throttled += status == 429

    def keep(self, channel: str, **message: Any) -> None:
        self.messages.append({"channel": channel, "at": utc_text(), **message})

    def clear_requests(self) -> None:
        self.requests.clear()
        for counter in (self.by_method, self.by_type, self.by_status):
            counter.clear()
        self.throttled = 0


def resource_type(path: str) -> str:
    """`fluxConfigurations`, `connectedClusters`, `keys` ...: the last named collection in the path.

    >>> resource_type("/subscriptions/s/resourceGroups/r/providers/Microsoft.Kubernetes/connectedClusters/c")
    'connectedclusters'
    >>> resource_type("/keys/one/unwrapkey")
    'keys'
    """
    parts = [part.lower() for part in path.split("/") if part]
    if "operations" in parts:
        return "operations"
    after_provider = [parts[index + 2] for index, part in enumerate(parts[:-2]) if part == "providers"]
    if after_provider:
        return after_provider[-1]
    return parts[0] if parts else ""
