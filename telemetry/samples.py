"""Samples: what was measured, as values that any way out of the process can carry."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from telemetry.metric_names import METRICS, Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Measured times by bucket.

    Attributes:
        bounds: Upper bounds of all buckets but the last, inclusive, ascending.
        counts: Of each bucket, the last one without a bound included.
        sum: Of everything that was measured.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """How much was measured."""
        return sum(self.counts)

    @property
    def cumulative(self) -> list[int]:
        """How much was at or below each bound, and all of it."""
        return list(accumulate(self.counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One series of a metric at one moment; an attribute that it lacks is left out."""

    metric: Metric
    value: float | Histogram
    attributes: Mapping[str, str] = field(default_factory=dict)


def by_metric(samples: Iterable[Sample]) -> Iterator[tuple[Metric, list[Sample]]]:
    """The samples of each metric that has any, in the order of the table."""
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.metric.name, []).append(sample)
    for metric in METRICS:
        if metric.name in found:
            yield metric, found[metric.name]
