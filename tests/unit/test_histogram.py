"""Histograms of durations: ranks as percentile_disc has them, estimates within one percent."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import StoreError
from app.domain.histogram import (
    BOUNDS,
    MEASURES,
    Histogram,
    histogram_of,
    merged,
    pack,
    place_of,
    unpack,
)
from migrations import counting

durations = st.lists(st.one_of(st.integers(0, 200), st.integers(0, 4_000_000_000)), min_size=1)
quantiles = st.one_of(st.sampled_from((0.5, 0.95, 0.99, 0.0, 1.0)), st.floats(0, 1))


def test_bounds_are_those_of_the_migration() -> None:
    """Program and database have the same buckets."""
    assert list(BOUNDS) == counting.bounds()


@given(values=durations, quantile=quantiles)
def test_rank_names_the_value_of_percentile_disc(values: list[int], quantile: float) -> None:
    """The n-th value of the bucket is the quantile itself; the estimate is within 1 % of it."""
    (rank,) = histogram_of(values).ranks([quantile])
    exact = sorted(values)[min(max(1, ceil(quantile * len(values))), len(values)) - 1]
    in_bucket = sorted(
        value for value in values if rank.low_ms <= value <= (rank.high_ms or max(values))
    )
    assert in_bucket[rank.n - 1] == exact
    assert abs(rank.estimate_ms - exact) <= 0.01 * exact * (1 + 1e-12)


@given(one=durations, other=durations)
def test_merging_is_counting_together(one: list[int], other: list[int]) -> None:
    """Two histograms added are the histogram of all values."""
    assert merged([histogram_of(one), histogram_of(other)]) == histogram_of(one + other)


@given(values=st.lists(durations, min_size=3, max_size=3))
def test_packed_histograms_come_back(values: list[list[int]]) -> None:
    """What was packed is what is unpacked, a missing measure as an empty one."""
    wanted = {name: histogram_of(found) for name, found in zip(MEASURES, values, strict=True)}
    assert unpack(pack(wanted)) == wanted
    assert unpack(pack({"wait": wanted["wait"]})) == {
        "run": Histogram(),
        "wait": wanted["wait"],
        "total": Histogram(),
    }


@pytest.mark.parametrize("packed", [b"", b"\x02abc", b"\x01abc", pack({})[:-3]])
def test_bytes_that_are_none_are_an_error(packed: bytes) -> None:
    """Foreign or cut bytes are refused in words, not taken for numbers."""
    with pytest.raises(StoreError, match="packed histogram"):
        unpack(packed)


def test_nothing_has_no_quantile() -> None:
    """Of no values there is no percentile; a bucket of zero values is no value."""
    assert Histogram().ranks([0.5]) == []
    assert Histogram({3: 0}).ranks([0.5]) == []
    assert place_of(10**15) == len(BOUNDS) - 1
