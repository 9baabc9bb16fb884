"""Since when: change points of a finding's attempts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.correlation.found import Onset
from app.domain.correlation.onset import onset


def _onset(seed: int, *, began: float, rate: float, count: int = 300) -> Onset | None:
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 1_000, count)
    failed = rng.random(count) < np.where(at >= began, rate, 0.02)
    return onset(at, failed, start=0.0, end=1_000.0, expected_rate=0.02)


def test_onset_is_near_and_inside_its_interval() -> None:
    """Of forty, nearly all are within 5 % of the window, and in the interval that is told."""
    began = np.linspace(150, 850, 40)
    found = [_onset(seed, began=float(at), rate=0.5) for seed, at in enumerate(began)]
    told = [(one, at) for one, at in zip(found, began, strict=True) if one is not None]
    assert len(told) == 40
    assert sum(abs(one.at - at) <= 50 for one, at in told) >= 39
    assert sum(one.low <= at <= one.high for one, at in told) >= 36
    assert all(one.low <= one.at <= one.high for one, _ in told)


def test_onset_counts_the_attempts_from_it_on() -> None:
    """All of them and those that failed; what ended before it is in neither number."""
    at = np.arange(40, dtype=np.float64)
    found = onset(at, at >= 30, start=0.0, end=40.0, expected_rate=0.01)
    assert found is not None
    assert (found.n, found.observed) == ((at >= found.at).sum(), 10)


@pytest.mark.parametrize("seed", range(5))
def test_onset_is_none_where_it_was_so_all_the_window_long(seed: int) -> None:
    """What began before the window has no moment in it."""
    assert _onset(seed, began=-1, rate=0.4) is None


def test_onset_is_none_where_it_became_better() -> None:
    """What fails all the window long, and less so at its end, began before it."""
    rng = np.random.default_rng(3)
    at = rng.uniform(0, 1_000, 752)
    failed = rng.random(752) < np.where(at < 480, 0.85, 0.2)
    assert onset(at, failed, start=0.0, end=1_000.0, expected_rate=0.02) is None


def test_onset_is_where_it_became_worse_though_it_became_better_later() -> None:
    """Of a rise and a fall after it, the rise is told."""
    rng = np.random.default_rng(4)
    at = rng.uniform(0, 1_000, 600)
    rate = np.where(at < 300, 0.02, np.where(at < 600, 0.8, 0.1))
    found = onset(at, rng.random(600) < rate, start=0.0, end=1_000.0, expected_rate=0.02)
    assert found is not None
    assert 270 <= found.at <= 330


def test_onset_of_few_attempts_is_near_the_first_failure() -> None:
    """Ten failures that begin at once: the moment lies between the last success and the first."""
    at = np.arange(40.0)
    found = onset(at, at >= 30, start=0.0, end=40.0, expected_rate=0.01)
    assert found is not None
    assert 29 <= found.at <= found.high <= 30
    assert found.low >= 28


@given(
    at=st.lists(st.floats(-10, 110), min_size=1, max_size=60),
    seed=st.integers(0, 1_000),
    rate=st.floats(0, 1),
)
def test_onset_lies_in_the_window(at: list[float], seed: int, rate: float) -> None:
    """Whatever the attempts: no error, and moments in their order within the window."""
    rng = np.random.default_rng(seed)
    failed = rng.random(len(at)) < rate
    found = onset(np.array(at), failed, start=0.0, end=100.0, expected_rate=rate)
    assert found is None or 0 <= found.low <= found.at <= found.high <= 100


def test_onset_does_not_depend_on_the_order() -> None:
    """Attempts come in any order."""
    at = np.arange(200.0)
    failed = (at >= 120) & (at % 3 == 0)
    turned = np.random.default_rng(1).permutation(200)
    first = onset(at, failed, start=0.0, end=200.0, expected_rate=0.02)
    assert first == onset(at[turned], failed[turned], start=0.0, end=200.0, expected_rate=0.02)
    assert first is not None
