"""What the process counts and measures: constant names, and attributes of which each has few values, all from our own configuration and
code. docs/monitoring.md lists them.

Told through the OpenTelemetry API: it goes where the process's exporter sends it, and nowhere while none is set up
(opentelemetry.io/docs/specs/otel/metrics/noop). What is counted is therefore always logged too, or can be read from the database.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, Meter, _Gauge

#: Deliveries that were not taken, by receiver and reason.
REFUSED = "sluice.receiver.refused"
#: Answers 429 of Azure, by service.
THROTTLED = "sluice.azure.throttled"
#: Rollouts that can still change, by state; their targets, by state.
ROLLOUTS, TARGETS = "sluice.rollouts.active", "sluice.rollouts.targets"
#: Seconds from the push to the slot of the first update, and to the end, of each rollout.
STARTED, ENDED = "sluice.rollout.started", "sluice.rollout.ended"
#: The fleet, as its newest sweep saw it.
CLUSTERS, CONFIGURATIONS, DRIFTED = "sluice.fleet.clusters", "sluice.fleet.configurations", "sluice.fleet.drifted"
#: Attempts to post a message, by provider and outcome; seconds until one was sent, handed over or given up, by provider and state.
NOTIFICATION_ATTEMPTS, NOTIFICATION_ENDED = "sluice.notifications.attempts", "sluice.notifications.ended"

#: From a second to a week: OpenTelemetry's own end after less than three hours.
_SECONDS = (1, 5, 15, 30, 60, 120, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 86400, 3 * 86400, 7 * 86400)


def count(name: str, **attributes: str) -> None:
    """One more."""
    _counter(name).add(1, attributes)


def gauge(name: str, value: int, **attributes: str) -> None:
    """So many now."""
    _gauge(name).set(value, attributes)


def seconds(name: str, value: float, **attributes: str) -> None:
    """It took so long."""
    _histogram(name).record(value, attributes)


def _meter() -> "Meter":
    from opentelemetry.metrics import get_meter

    return get_meter("sluice")


@cache
def _counter(name: str) -> "Counter":
    return _meter().create_counter(name)


@cache
def _gauge(name: str) -> "_Gauge":
    return _meter().create_gauge(name)


@cache
def _histogram(name: str) -> "Histogram":
    return _meter().create_histogram(name, unit="s", explicit_bucket_boundaries_advisory=_SECONDS)
