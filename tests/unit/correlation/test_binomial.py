"""Tails of the binomial distribution, against values of as many digits as wanted."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domain.correlation.binomial import log_mixed, log_mixed_tail, log_tail, nodes

_LEAST = math.log(1e-300)


def _exact(k: int, n: int, p: float) -> mpmath.mpf:
    """The logarithm of the tail with sixty digits: its first term, and ratios of those after."""
    with mpmath.workdps(60):
        chance = mpmath.mpf(p)
        odds = chance / (1 - chance)
        term = mpmath.exp(
            mpmath.loggamma(n + 1)
            - mpmath.loggamma(k + 1)
            - mpmath.loggamma(n - k + 1)
            + k * mpmath.log(chance)
            + (n - k) * mpmath.log(1 - chance)
        )
        total = mpmath.mpf(0)
        for place in range(k, n + 1):
            total += term
            term *= odds * (n - place) / (place + 1)
            if term < total * mpmath.mpf(10) ** -20:
                break
        return mpmath.log(total)


def _is_near(k: int, n: int, p: float) -> bool:
    """Whether the relative error is below 1e-9."""
    got = float(log_tail(k, n, p))
    with mpmath.workdps(60):
        return bool(abs(mpmath.expm1(mpmath.mpf(got) - _exact(k, n, p))) < 1e-9)


@settings(max_examples=150, deadline=None)
@given(
    size=st.floats(0, 7),
    rate=st.floats(-9, -1e-6),
    is_frequent=st.booleans(),
    deviations=st.floats(-3, 37),
    more=st.sampled_from([0, 1, 3, 10, 40]),
)
def test_tail_is_exact_far_out(
    *, size: float, rate: float, is_frequent: bool, deviations: float, more: int
) -> None:
    """To 1e-9 of itself, down to 1e-300, and for up to ten million trials."""
    n = max(1, round(10**size))
    p = 1 - 10**rate if is_frequent else 10**rate
    assume(0 < p < 1)
    middle = n * p + deviations * math.sqrt(n * p * (1 - p))
    k = min(max(round(middle) + more, 1), n)
    # the other side would take as many terms as there are trials
    assume(float(log_tail(k, n, p)) >= _LEAST)
    assert _is_near(k, n, p)


@pytest.mark.parametrize(
    ("k", "n", "p"),
    [
        (1, 1, 0.5),
        (5, 5, 1e-60),
        (10_000_000, 10_000_000, 1 - 1e-7),
        (9_999_998, 10_000_000, 0.9999999),
        (5_060_000, 10_000_000, 0.5),
        (40, 10_000_000, 1e-9),
        (999_999, 1_000_000, 0.5 ** (1 / 1100)),
    ],
)
def test_tail_is_exact_at_its_ends(k: int, n: int, p: float) -> None:
    """All trials succeed; one of ten million; rates near 0, a half and 1."""
    assert _is_near(k, n, p)


def test_tail_of_what_is_sure_and_of_what_cannot_be() -> None:
    """Zero or more is sure; more than there are trials cannot be; rates 0 and 1 are told apart."""
    k = np.array([0.0, -3.0, 4.0, 1.0, 3.0])
    n = np.array([3.0, 3.0, 3.0, 3.0, 3.0])
    p = np.array([0.5, 0.0, 1.0, 0.0, 1.0])
    assert log_tail(k, n, p).tolist() == [0.0, 0.0, -math.inf, -math.inf, 0.0]


@given(
    n=st.integers(1, 300),
    p=st.floats(0.001, 0.999),
)
def test_tail_falls_with_each_success_more(n: int, p: float) -> None:
    """It is never more likely to have more."""
    tails = log_tail(np.arange(n + 2), n, p)
    assert (np.diff(tails) <= 1e-12).all()


def test_mixed_tail_is_the_tail_where_the_rate_is_known() -> None:
    """The weights of the nodes sum up to one; a rate that varies makes far tails likelier."""
    k, n = np.array([30.0]), np.array([100.0])
    known = np.full((nodes().size, 1), 0.1)
    assert log_mixed_tail(k, n, known)[0] == pytest.approx(float(log_tail(30, 100, 0.1)))
    spread = 0.1 * np.exp(0.3 * nodes())[:, None]
    assert log_mixed_tail(k, n, spread)[0] > log_tail(30, 100, 0.1) + 1
    assert log_mixed(np.zeros((nodes().size, 3))) == pytest.approx(0.0)
