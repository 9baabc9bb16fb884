"""Upper tails of the binomial distribution, exact far out, without scipy.

C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000): a probability is the
deviance of what was seen plus Stirling's error, so that nothing cancels at a million trials. A tail
is its first term times the continued fraction of the incomplete beta function (DLMF 8.17.22).
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HALF_LOG_2PI: Final = 0.5 * math.log(2 * math.pi)
#: log(n!) less Stirling's formula, up to the place where the series is exact.
_SMALL: Final = np.array(
    [0.0]
    + [
        math.log(math.factorial(n)) - (_HALF_LOG_2PI + (n + 0.5) * math.log(n) - n)
        for n in range(1, 31)
    ]
)
#: Coefficients of the series of Stirling's error in 1/n².
_SERIES: Final = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
#: Nodes and weights that stand for a normal distribution, and their weights' logarithms.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_LOG_WEIGHTS: Final = np.log(_WEIGHTS / _WEIGHTS.sum())
_TINY: Final = 1e-300
#: The fraction converges in about the square root of the number of trials.
_MOST_STEPS: Final = 50_000
_PRECISE: Final = 1e-15


def log_tail(k: Any, n: Any, p: Any) -> Floats:
    """Log P(X >= k) where X counts successes of n trials of probability p.

    Args:
        k: Whole numbers; 0 or less: the tail is everything.
        n: Whole numbers from 0, at most some ten millions.
        p: From 0 to 1.
    """
    k, n, p = (np.asarray(x, dtype=np.float64) for x in np.broadcast_arrays(k, n, p))
    shape = k.shape
    k, n, p = k.ravel(), n.ravel(), p.ravel()
    found = np.where((k <= 0) | ((p >= 1) & (k <= n)), 0.0, -np.inf)
    todo = np.flatnonzero((k > 0) & (k <= n) & (p > 0) & (p < 1))
    if todo.size:
        found[todo] = _inner_tail(k[todo], n[todo], p[todo])
    return found.reshape(shape)


def log_mixed_tail(k: Floats, n: Floats, p_at: NDArray[np.float64]) -> Floats:
    """The same where p is uncertain: `p_at` has a row for each of `nodes()`."""
    return np.minimum(log_mixed(log_tail(k[None, :], n[None, :], p_at)), 0.0)


def log_mixed(logs: Floats) -> Floats:
    """The logarithm of what is expected, over a row of logarithms for each of `nodes()`."""
    weighed = logs + _LOG_WEIGHTS[:, None]
    top = weighed.max(axis=0)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        mixed: Floats = safe + np.log(np.exp(weighed - safe).sum(axis=0))
    return mixed


def nodes() -> Floats:
    """Standard deviations from the mean at which `log_mixed_tail` wants p."""
    return _NODES


def log_point(k: Floats, n: Floats, p: Floats) -> Floats:
    """Log P(X = k), for 0 < p < 1 and 0 <= k <= n."""
    q = 1 - p
    rest = n - k
    inner = (k > 0) & (rest > 0)
    product = np.where(inner, k * (rest / np.where(n > 0, n, 1.0)), 1.0)
    middle = (
        stirling_error(n)
        - stirling_error(k)
        - stirling_error(rest)
        - deviance(k, n * p)
        - deviance(rest, n * q)
        - _HALF_LOG_2PI
        - 0.5 * np.log(product)
    )
    ends = np.where(k > 0, n * np.log(p), n * np.log1p(-p))
    return np.where(inner, middle, ends)


def stirling_error(n: Floats) -> Floats:
    """log(n!) less Stirling's formula for it; 0 at 0."""
    big = np.maximum(n, float(len(_SMALL)))
    square = 1 / (big * big)
    series = np.zeros_like(big)
    for coefficient in reversed(_SERIES):
        series = series * square + coefficient
    small = _SMALL[np.minimum(n, len(_SMALL) - 1).astype(np.int64)]
    return np.where(n < len(_SMALL), small, series / big)


def deviance(x: Floats, mean: Floats) -> Floats:
    """X log(x / mean) + mean - x, exact where x is near the mean, too (Loader's bd0)."""
    safe = np.maximum(x, _TINY)
    gap = x - mean
    far = np.where(x > 0, x * np.log(safe / mean), 0.0) - gap
    v = gap / (x + mean)
    near = gap * v
    power = 2 * x * v
    for place in range(1, 12):
        power = power * v * v
        near = near + power / (2 * place + 1)
    return np.where(np.abs(v) < 0.1, near, far)


def _inner_tail(k: Floats, n: Floats, p: Floats) -> Floats:
    """The tail from its smaller side: right of the mean directly, else as what is left."""
    upper = k * (1 - p) >= (n - k + 1) * p
    a = np.where(upper, k, n - k + 1)
    b = np.where(upper, n - k + 1, k)
    x = np.where(upper, p, 1 - p)
    y = np.where(upper, 1 - p, p)
    first = log_point(np.where(upper, k, k - 1), n, p) + np.log(y)
    side = np.minimum(first + np.log(_fraction(a, b, x, y)), 0.0)
    with np.errstate(divide="ignore"):
        return np.where(upper, side, np.log1p(-np.exp(np.minimum(side, -1e-17))))


def _fraction(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    """A B(a, b) I_x(a, b) / (x^a y^b) by the even part of its continued fraction; y is 1 - x.

    The even part (Didonato and Morris, TOMS 708) subtracts nothing that is nearly equal, where x is
    near 1, too.
    """
    found = np.ones_like(a)
    here = np.arange(a.size)
    gap = a * y - b * x + 1
    old_top, top = np.zeros_like(a), a
    old_bottom, bottom = np.ones_like(a), gap * a / (a + 1)
    value = top / bottom
    for m in range(1, _MOST_STEPS):
        w = m * (b - m) * x
        e = a / (a + 2 * m - 1)
        up = (a + m - 1) / a * (a + b + m - 1) / a * e * e * w * x
        e = (a + m) / (a + 2 * m + 1)
        down = m + w / (a + 2 * m - 1) + e * (gap + m * (1 + y))
        old_top, top = top, up * old_top + down * top
        old_bottom, bottom = bottom, up * old_bottom + down * bottom
        before, value = value, top / bottom
        old_top, old_bottom = old_top / bottom, old_bottom / bottom
        top, bottom = value, np.ones_like(value)
        done = np.abs(value - before) <= _PRECISE * value
        if done.any():
            found[here[done]] = value[done]
            left = ~done
            if not left.any():
                break
            here = here[left]
            parts = (a, b, x, y, gap, old_top, top, old_bottom, bottom, value)
            a, b, x, y, gap, old_top, top, old_bottom, bottom, value = (one[left] for one in parts)
    else:
        found[here] = value
    return found
