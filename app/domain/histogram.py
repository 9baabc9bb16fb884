"""Histograms of durations over fixed buckets: merged by adding, read within one percent.

Buckets are those of the database (`stat_bound`, made by `migrations/counting.py`): one wide up to
49 ms, then growing by 1 / 0.99, so that every value of a bucket is within 1 % of its middle, as in
DDSketch (Masson et al. 2019, alpha = 1 %). A value is in whole milliseconds.
"""

import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil
from typing import Final

from app.domain.errors import StoreError

#: Milliseconds above which all values share the last bucket: three years.
HIGHEST_MS: Final = 100_000_000_000
#: What is measured of a task, in the order in which histograms are packed.
MEASURES: Final = ("run", "wait", "total")


def _bounds() -> tuple[int, ...]:
    found = [0]
    while found[-1] < HIGHEST_MS:
        found.append(found[-1] * 101 // 99 + 1)
    return tuple(found)


#: The lowest milliseconds of each bucket.
BOUNDS: Final = _bounds()
#: The place of a bucket in `BOUNDS` by its lowest milliseconds.
PLACES: Final[Mapping[int, int]] = {low_ms: place for place, low_ms in enumerate(BOUNDS)}


def place_of(ms: int) -> int:
    """The place of the bucket that holds a duration."""
    return bisect_right(BOUNDS, ms) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Where a quantile lies: the n-th of the values (from 1) of a bucket from `low_ms` on.

    Attributes:
        high_ms: The highest value of the bucket; None in the last one.
    """

    low_ms: int
    high_ms: int | None
    n: int

    @property
    def estimate_ms(self) -> float:
        """The middle of the bucket: within 1 % of the value."""
        low, high = self.low_ms, self.high_ms
        if high is None or low == 0:
            return float(low)
        return 2 * low * high / (low + high)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values are in each bucket, by its place; empty ones are left out."""

    counts: Mapping[int, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """All values."""
        return sum(self.counts.values())

    def ranks(self, shares: Sequence[float]) -> list[Rank]:
        """Where the smallest values lie that have these shares of all at or below them.

        As percentile_disc: of n values it is the one with the number ceil(share * n). Empty where
        there are no values.
        """
        places = sorted(self.counts)
        ends = list(accumulate(map(self.counts.__getitem__, places)))
        if not ends or not ends[-1]:
            return []
        return [_rank(places, ends, share) for share in shares]


def _rank(places: Sequence[int], ends: Sequence[int], share: float) -> Rank:
    wanted = min(max(1, ceil(share * ends[-1])), ends[-1])
    at = bisect_right(ends, wanted - 1)
    place = places[at]
    is_last = place + 1 == len(BOUNDS)
    return Rank(
        low_ms=BOUNDS[place],
        high_ms=None if is_last else BOUNDS[place + 1] - 1,
        n=wanted - (ends[at - 1] if at else 0),
    )


def histogram_of(values_ms: Iterable[int]) -> Histogram:
    """The histogram of some durations."""
    return merged([Histogram({place_of(ms): 1}) for ms in values_ms])


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All of them added up."""
    counts: dict[int, int] = {}
    known = counts.get
    for one in histograms:
        for place, n in one.counts.items():
            counts[place] = known(place, 0) + n
    return Histogram(counts)


#: First byte of a packed form; another one is none of ours.
_VERSION: Final = 1


def pack(histograms: Mapping[str, Histogram]) -> bytes:
    """The histograms of all `MEASURES` as bytes: a version, then places and counts, compressed.

    Args:
        histograms: By measure; a missing one is empty. Counts below 2**32.
    """
    parts = []
    for measure in MEASURES:
        counts = histograms.get(measure, Histogram()).counts
        places = sorted(counts)
        parts.append(struct.pack(f"<H{len(places)}H", len(places), *places))
        parts.append(struct.pack(f"<{len(places)}I", *(counts[place] for place in places)))
    return bytes([_VERSION]) + zlib.compress(b"".join(parts), 6)


def unpack(packed: bytes) -> dict[str, Histogram]:
    """What `pack` was given.

    Raises:
        StoreError: The bytes are none of `pack`.
    """
    if not packed or packed[0] != _VERSION:
        message = f"a packed histogram begins with {packed[:1]!r}; allowed: {_VERSION}"
        raise StoreError(message)
    try:
        raw = zlib.decompress(packed[1:])
        found, at = {}, 0
        for measure in MEASURES:
            (n,) = struct.unpack_from("<H", raw, at)
            places = struct.unpack_from(f"<{n}H", raw, at + 2)
            counts = struct.unpack_from(f"<{n}I", raw, at + 2 + 2 * n)
            if max(places, default=0) >= len(BOUNDS):
                message = f"a packed histogram has bucket {max(places)} of {len(BOUNDS)}"
                raise StoreError(message)
            found[measure] = Histogram(dict(zip(places, counts, strict=True)))
            at += 2 + 6 * n
    except (zlib.error, struct.error) as error:
        message = f"a packed histogram cannot be read: {error}"
        raise StoreError(message) from error
    return found


def readable(packed: bytes) -> dict[str, Histogram] | None:
    """What `pack` was given; None where the bytes are damaged."""
    try:
        return unpack(packed)
    except StoreError:
        return None


def is_of(found: Mapping[str, Histogram] | None, n: int) -> bool:
    """Whether histograms can be read, and each is of so many tasks."""
    return found is not None and all(found[measure].n == n for measure in MEASURES)
