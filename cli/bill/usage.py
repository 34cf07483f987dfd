"""How much of each service a month uses. Pure: of the fleet's size, and of figures that were counted (docs/benchmarks.md).

What is counted is exact for the simulated fleet; what is assumed is said to be. A month has 730 hours, as on Azure's price pages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cli.bill import prices
from cli.bill.prices import Price

_HOURS = 730
_SECONDS = _HOURS * 3600
#: infra/modules/app.bicep
_INSTANCE_GB = 2.048
#: Runs an hour, by infra/modules/app.bicep: rollouts and logs each minute, compliance each 30 seconds, clusters and fleet each 5 minutes.
_RUNS = 60 + 60 + 120 + 12
_LOOKS = 12
#: An instance at work is billed for a second at least (learn.microsoft.com, Azure Functions Flex Consumption plan, billing).
_LEAST_SECONDS = 1.0

#: Counted for 100 clusters: docs/benchmarks.md, What a rollout costs, and A look at the whole fleet. Tests hold them equal.
UNITS_A_TARGET = 71
MESSAGES_A_TARGET = 1.1
UNITS_A_LOOK = {100: 31, 10_000: 126}
SECONDS_A_LOOK = {100: 0.4, 10_000: 11.3}
TARGETS_A_STEP = 90
STEP_SECONDS = 0.6
#: ARM's writes a second for each subscription and region.
_PACE = 10
_OPERATIONS_A_MESSAGE = 3  # put, got, deleted

#: Assumed: a target's record of 2.3 KB, four audit records with their chain, and the index, kept for half a year.
_KB_KEPT_A_TARGET, _MONTHS_KEPT, _CONTAINERS = 12, 6, 8
#: Assumed, after Azure Monitor's own accounting: rows of audit, compliance and rollouts for a target, and telemetry for an execution.
_KB_OF_ROWS_A_TARGET, _KB_AN_EXECUTION = 6, 2.5
#: infra/modules/alerts.bicep
ALERTS_5M, ALERTS_15M = 3, 8
#: Assumed: a fluxConfiguration that moves changes its state three times; a cluster goes and comes back every other day.
_EVENTS_A_TARGET, _EVENTS_A_CLUSTER = 3, 30
_MESSAGES_A_PUSH, _EXECUTIONS_A_PUSH = 12, 15
_KEY_OPERATIONS = 50_000
#: infra/modules/private-endpoints.bicep and private-monitor.bicep; infra/modules/logs.bicep
ENDPOINTS, ZONES, DAYS_OF_ROWS = 7, 10, 730


@dataclass(frozen=True)
class Scale:
    """What somebody has, and does in a month."""

    clusters: int
    pushes: int  #: each moves every cluster
    always_ready: bool = True  #: one instance that answers webhooks at once
    logs: bool = True  #: Log Analytics and Application Insights
    private: bool = False  #: private endpoints

    @property
    def targets(self) -> int:
        return self.clusters * self.pushes


@dataclass(frozen=True)
class Use:
    """So much of one thing."""

    service: str
    quantity: float
    price: Price

    @property
    def dollars(self) -> float:
        return self.price.of(self.quantity)


def uses(scale: Scale) -> list[Use]:
    """In the order in which people read them. What is not used is left out."""
    executions = _executions(scale)
    found = [
        Use("Functions", _gigabyte_seconds(scale), prices.ON_DEMAND),
        Use("Functions", executions, prices.EXECUTIONS),
        Use("Functions", _SECONDS * _INSTANCE_GB if scale.always_ready else 0, prices.ALWAYS_READY),
        Use("Cosmos DB", _request_units(scale), prices.REQUEST_UNITS),
        Use("Cosmos DB", _stored(scale), prices.STORED),
        Use("Storage", _messages(scale) * _OPERATIONS_A_MESSAGE, prices.QUEUE_OPERATIONS),
        Use("Event Grid", scale.targets * _EVENTS_A_TARGET + scale.clusters * _EVENTS_A_CLUSTER, prices.EVENTS),
        Use("Key Vault", _KEY_OPERATIONS, prices.KEY_OPERATIONS),
        *(_monitoring(scale, executions) if scale.logs else ()),
        Use("Private Link", ENDPOINTS if scale.private else 0, prices.PRIVATE_ENDPOINTS),
        Use("Private Link", ZONES if scale.private else 0, prices.PRIVATE_ZONES),
    ]
    return [use for use in found if use.quantity]


def _monitoring(scale: Scale, executions: float) -> Iterator[Use]:
    rows = scale.targets * _KB_OF_ROWS_A_TARGET / 1e6
    yield Use("Azure Monitor", rows + executions * _KB_AN_EXECUTION / 1e6, prices.LOGS)
    yield Use("Azure Monitor", rows * (DAYS_OF_ROWS / 30 - 1), prices.KEPT_LOGS)
    yield Use("Azure Monitor", ALERTS_5M, prices.ALERT_RULES_5M)
    yield Use("Azure Monitor", ALERTS_15M, prices.ALERT_RULES_15M)


def _messages(scale: Scale) -> float:
    return scale.targets * MESSAGES_A_TARGET + scale.pushes * _MESSAGES_A_PUSH


def _executions(scale: Scale) -> float:
    return _RUNS * _HOURS + _messages(scale) + scale.pushes * _EXECUTIONS_A_PUSH


def _gigabyte_seconds(scale: Scale) -> float:
    """Timers; and for each push its updates, which run as long as ARM's pace makes them, and its steps."""
    looks = _LOOKS * _HOURS * max(_LEAST_SECONDS, _by_size(SECONDS_A_LOOK, scale.clusters))
    timers = _RUNS * _HOURS * _LEAST_SECONDS + looks
    updating = max(_LEAST_SECONDS, scale.clusters / _PACE)
    steps = 3 * max(1.0, scale.clusters / TARGETS_A_STEP) * max(_LEAST_SECONDS, STEP_SECONDS)
    return _INSTANCE_GB * (timers + scale.pushes * (updating + steps + _EXECUTIONS_A_PUSH * _LEAST_SECONDS))


def _request_units(scale: Scale) -> float:
    return scale.targets * UNITS_A_TARGET + _LOOKS * _HOURS * _by_size(UNITS_A_LOOK, scale.clusters)


def _stored(scale: Scale) -> float:
    """The first GB of each container is billed whole (learn.microsoft.com, Pricing model in Azure Cosmos DB)."""
    return _CONTAINERS + scale.targets * _KB_KEPT_A_TARGET * _MONTHS_KEPT / 1e6


def _by_size(known: Mapping[int, float], clusters: int) -> float:
    """On the straight line through two known sizes, and no less than the smaller one's."""
    (small, least), (large, most) = sorted(known.items())
    return max(least, least + (most - least) * (clusters - small) / (large - small))
