"""Metrics over OTLP/HTTP: samples to bytes, and to a collector, as often as it is asked for.

The samples are totals of the whole service, read from its tables: cumulative, and without a start
time, since no process began them. The resource names no process either. (The SDK's instruments are
not used: it has none that takes a histogram which was counted elsewhere.)
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from telemetry.codec import key_values
from telemetry.metric_names import Metric
from telemetry.names import SCOPE
from telemetry.provider import resource_attributes, row_resource
from telemetry.samples import Histogram, Sample, by_metric

_CUMULATIVE: Final = metrics_pb2.AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_INTERVAL: Final = "OTEL_METRIC_EXPORT_INTERVAL"
_DEFAULT_INTERVAL_MS: Final = 60_000
#: Shortest and longest interval, in milliseconds.
_MIN_MS: Final = 1000
_MAX_MS: Final = 86_400_000


def export_interval_s(environ: Mapping[str, str]) -> float:
    """Seconds between two exports, from OTEL_METRIC_EXPORT_INTERVAL (milliseconds).

    Raises:
        ValueError: It is no such number.
    """
    text = environ.get(_INTERVAL, "").strip() or str(_DEFAULT_INTERVAL_MS)
    try:
        value_ms = float(text)
    except ValueError:
        value_ms = math.nan
    if not _MIN_MS <= value_ms <= _MAX_MS:
        message = f"{_INTERVAL} must be milliseconds, {_MIN_MS} to {_MAX_MS}, got {text[:40]!r}"
        raise ValueError(message)
    return value_ms / 1000


def metrics_resource(release: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """What the metrics are of: the service in this release, and OTEL_RESOURCE_ATTRIBUTES."""
    return {**resource_attributes(environ), **row_resource(release)}


def encode_metrics(
    samples: Iterable[Sample], resource: Mapping[str, Any], *, release: str, at_us: int
) -> bytes:
    """The bytes of one ExportMetricsServiceRequest.

    Args:
        samples: What was measured.
        resource: What the metrics are of.
        release: Version of the instrumentation scope.
        at_us: When it was measured, in microseconds since the epoch.
    """
    at_ns = at_us * 1000
    scope = metrics_pb2.ScopeMetrics(
        scope=InstrumentationScope(name=SCOPE, version=release),
        metrics=[_metric(metric, found, at_ns) for metric, found in by_metric(samples)],
    )
    request = ExportMetricsServiceRequest(
        resource_metrics=[
            metrics_pb2.ResourceMetrics(
                resource=Resource(attributes=key_values(resource)), scope_metrics=[scope]
            )
        ]
    )
    payload: bytes = request.SerializeToString()
    return payload


def _metric(metric: Metric, samples: Iterable[Sample], at_ns: int) -> metrics_pb2.Metric:
    message = metrics_pb2.Metric(name=metric.name, description=metric.meaning, unit=metric.unit)
    points = [_point(sample, at_ns) for sample in samples]
    match metric.instrument:
        case "gauge":
            message.gauge.data_points.extend(points)
        case "counter":
            message.sum.data_points.extend(points)
            message.sum.is_monotonic = True
            message.sum.aggregation_temporality = _CUMULATIVE
        case "histogram":
            message.histogram.data_points.extend(points)
            message.histogram.aggregation_temporality = _CUMULATIVE
    return message


def _point(sample: Sample, at_ns: int) -> Any:
    attributes = key_values(sample.attributes)
    value = sample.value
    if isinstance(value, Histogram):
        return metrics_pb2.HistogramDataPoint(
            attributes=attributes,
            time_unix_nano=at_ns,
            count=value.count,
            sum=value.sum,
            bucket_counts=value.counts,
            explicit_bounds=value.bounds,
        )
    if isinstance(value, int):
        return metrics_pb2.NumberDataPoint(
            attributes=attributes, time_unix_nano=at_ns, as_int=value
        )
    return metrics_pb2.NumberDataPoint(attributes=attributes, time_unix_nano=at_ns, as_double=value)
