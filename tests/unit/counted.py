"""What the process has counted and measured, read through OpenTelemetry's own SDK."""

from functools import cache

from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint


@cache
def _reader() -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    set_meter_provider(MeterProvider([reader]))  # once a process: OpenTelemetry takes no second one
    return reader


def counted(name: str) -> dict[tuple[str, ...], int]:
    """The counter's values by its attributes' values, in the order of their names, since the process began; or what
    the gauge was told last.
    """
    return {_key(point): int(point.value) for point in _points(name) if isinstance(point, NumberDataPoint)}


def timed(name: str) -> dict[tuple[str, ...], tuple[int, float]]:
    """How many were recorded since the process began, and the sum of their seconds, by attributes."""
    return {_key(point): (point.count, point.sum) for point in _points(name) if isinstance(point, HistogramDataPoint)}


def _points(name: str) -> list[object]:
    data = _reader().get_metrics_data()
    metrics = [metric for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics] if data else []
    return [point for metric in metrics if metric.name == name for point in metric.data.data_points]


def _key(point: NumberDataPoint | HistogramDataPoint) -> tuple[str, ...]:
    return tuple(str(value) for _, value in sorted((point.attributes or {}).items()))


class Since:
    """How much a counter grew since this was made."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._before = counted(name)

    def grown(self) -> dict[tuple[str, ...], int]:
        now = counted(self._name)
        return {key: value - self._before.get(key, 0) for key, value in now.items() if value != self._before.get(key, 0)}
