"""Engine calls: how long each took, sorted into the buckets of a histogram."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

#: Upper bounds of the buckets, in seconds, inclusive; one more bucket has none. Rows of
#: `stat_engine` name buckets by number: another list needs a migration.
BOUNDS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
_BOUNDS_US: Final = tuple(round(bound * 1_000_000) for bound in BOUNDS_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCall:
    """One call of a speech engine, from asking to the last sound or the error."""

    engine: str
    outcome: Literal["ok", "error"]
    took_us: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Bucket:
    """Calls of one engine with one outcome whose time is in one bucket."""

    engine: str
    outcome: str
    bucket: int
    n: int
    sum_us: int


def bucket_of(took_us: int) -> int:
    """Number of the bucket of a call, from 0; a time on a bound is in the bucket below it."""
    return bisect_left(_BOUNDS_US, took_us)


def tally(calls: Iterable[EngineCall]) -> list[Bucket]:
    """The calls by engine, outcome and bucket, in the order of these three."""
    sums: dict[tuple[str, str, int], tuple[int, int]] = {}
    for call in calls:
        key = (call.engine, call.outcome, bucket_of(call.took_us))
        n, sum_us = sums.get(key, (0, 0))
        sums[key] = (n + 1, sum_us + call.took_us)
    return [
        Bucket(engine=engine, outcome=outcome, bucket=bucket, n=n, sum_us=sum_us)
        for (engine, outcome, bucket), (n, sum_us) in sorted(sums.items())
    ]
