"""What the telemetry of this process counts of itself: spans of the SDK, swallowed errors.

The SDK counts what it begins, drops and exports (OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED; on here
unless it is `false`). The numbers stay in this process: whoever keeps totals of all processes asks
`counts` now and then.
"""

import json
import os
import threading
from collections.abc import Mapping
from typing import Final

from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData, Sum
from opentelemetry.sdk.metrics.view import DropAggregation, View

from telemetry import health
from telemetry.metric_names import (
    SDK_SPAN_EXPORTED,
    SDK_SPAN_PROCESSED,
    SDK_SPAN_STARTED,
    TELEMETRY_FAILURES,
)
from telemetry.standard_settings import INTERNAL_METRICS, counts_sdk

_KEPT: Final = (SDK_SPAN_STARTED, SDK_SPAN_PROCESSED, SDK_SPAN_EXPORTED)


class _Kept:
    """The SDK's counters of one process, made when somebody first wants them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reader: InMemoryMetricReader | None = None
        self.provider: MeterProvider | None = None


_kept = _Kept()


def _reset() -> None:
    """A forked child counts for itself."""
    global _kept  # noqa: PLW0603 - the state of one process
    _kept = _Kept()


os.register_at_fork(after_in_child=_reset)


def meter_provider() -> MeterProvider:
    """What the SDK's own parts count into; give it to each when it is made, after the fork."""
    with _kept.lock:
        if _kept.provider is None:
            _kept.reader, _kept.provider = _made()
        return _kept.provider


def _made() -> tuple[InMemoryMetricReader | None, MeterProvider]:
    if not counts_sdk(os.environ):
        return None, NoOpMeterProvider()
    os.environ[INTERNAL_METRICS] = "true"  # the SDK's parts read it when they are made
    reader = InMemoryMetricReader()
    views = [View(instrument_name="*", aggregation=DropAggregation())]
    views += [
        View(instrument_name=metric.name, attribute_keys={*metric.attributes}) for metric in _KEPT
    ]
    provider = SdkMeterProvider(
        [reader],
        exemplar_filter=AlwaysOffExemplarFilter(),
        shutdown_on_exit=False,
        views=views,
    )
    return reader, provider


def counts() -> dict[tuple[str, str], int]:
    """Totals since the start of this process, by (name of the metric, attributes as JSON)."""
    found = {
        (TELEMETRY_FAILURES.name, _labels({"place": failure.place})): failure.count
        for failure in health.failures()
    }
    reader = _kept.reader
    data = reader.get_metrics_data() if reader is not None else None
    return found | (_sums(data) if data is not None else {})


def _sums(data: MetricsData) -> dict[tuple[str, str], int]:
    return {
        (metric.name, _labels(point.attributes or {})): int(point.value)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if isinstance(metric.data, Sum)
        for point in metric.data.data_points
    }


def _labels(attributes: Mapping[str, object]) -> str:
    return json.dumps({key: str(value) for key, value in attributes.items()}, sort_keys=True)
