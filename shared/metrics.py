"""Counters: a constant name, and attributes of which each has few values, all from our own configuration and code.

Counted through the OpenTelemetry API: it goes where the process's exporter sends it, and nowhere while none is set up
(opentelemetry.io/docs/specs/otel/metrics/noop). What is counted is therefore always logged too.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter

#: Deliveries that were not taken, by receiver and reason.
REFUSED = "sluice.receiver.refused"


def count(name: str, **attributes: str) -> None:
    """One more."""
    _counter(name).add(1, attributes)


@cache
def _counter(name: str) -> "Counter":
    from opentelemetry.metrics import get_meter

    return get_meter("sluice").create_counter(name)
