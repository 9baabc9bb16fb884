"""Exposition: samples as the text that Prometheus reads, in either of its two formats."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS_TYPE
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.utils import floatToGoString

from telemetry.metric_names import Metric, prometheus_name, prometheus_unit
from telemetry.samples import Histogram, Sample, by_metric

Format = Literal["text", "openmetrics"]

CONTENT_TYPES: Final[dict[Format, str]] = {
    "text": CONTENT_TYPE_PLAIN_0_0_4,
    "openmetrics": OPENMETRICS_TYPE,
}


def expose(samples: Iterable[Sample], form: Format) -> bytes:
    """The samples as text, metrics in the order of the table."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Samples(list(samples)))
    return (generate_openmetrics if form == "openmetrics" else generate_latest)(registry)


class _Samples:
    """What the library calls a collector: yields families."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Family]:
        """One family for each metric that has samples."""
        for metric, samples in by_metric(self._samples):
            yield _family(metric, samples)


def _family(metric: Metric, samples: Sequence[Sample]) -> Family:
    labels = [key.replace(".", "_") for key in metric.attributes]
    name, words, unit = prometheus_name(metric), metric.meaning, prometheus_unit(metric)
    match metric.instrument:
        case "gauge":
            gauge = GaugeMetricFamily(name, words, labels=labels, unit=unit)
            for sample in samples:
                gauge.add_metric(_values(sample), _number(sample))
            return gauge
        case "counter":
            counter = CounterMetricFamily(
                name.removesuffix("_total"), words, labels=labels, unit=unit
            )
            for sample in samples:
                counter.add_metric(_values(sample), _number(sample))
            return counter
        case "histogram":
            histogram = HistogramMetricFamily(name, words, labels=labels, unit=unit)
            for sample in samples:
                shape = _histogram(sample)
                tops = [*map(floatToGoString, shape.bounds), "+Inf"]
                counts = list(zip(tops, shape.cumulative, strict=True))
                histogram.add_metric(_values(sample), counts, shape.sum)
            return histogram


def _values(sample: Sample) -> list[str]:
    return [sample.attributes.get(key, "") for key in sample.metric.attributes]


def _number(sample: Sample) -> float:
    if isinstance(sample.value, Histogram):
        message = f"{sample.metric.name} must have a number, got a histogram"
        raise TypeError(message)
    return sample.value


def _histogram(sample: Sample) -> Histogram:
    if not isinstance(sample.value, Histogram):
        message = f"{sample.metric.name} must have a histogram, got {type(sample.value).__name__}"
        raise TypeError(message)
    return sample.value
