"""Whether all fails more often, or only more of what always failed often runs."""

import math
from typing import Final

import numpy as np

from app.domain.correlation.cells import table
from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Kind, Overall

#: Standard deviations above what is expected, and how many times as much, for a rise.
_SURE: Final = 3.09
_RISE: Final = 1.3
#: By how much a mix has to raise what is expected, to be told.
_SHIFT: Final = 1.15
#: Attempts of a value that the rate of everything weighs, beside its own.
_PRIOR: Final = 50.0


def overall(window: Cube, baseline: Cube, left: Cube, before: Cube) -> Overall:
    """Compares with the baseline's rates, for the mix of the window (indirect standardisation).

    Args:
        window: What is looked at.
        baseline: What was before.
        left: What no finding explains of the window.
        before: The same of the baseline.
    """
    if baseline.total == 0:
        return Overall(
            kind="none", dimension=None, observed=window.failed, expected=float(window.failed)
        )
    plain, by_dimension = _expected(window, baseline)
    expected = max([plain, *by_dimension])
    kind, dimension = _kind(left, before)
    name = None if dimension is None else window.names[dimension]
    return Overall(kind=kind, dimension=name, observed=window.failed, expected=expected)


def _kind(window: Cube, baseline: Cube) -> tuple[Kind, int | None]:
    if baseline.total == 0 or window.total == 0:
        return "none", None
    plain, by_dimension = _expected(window, baseline)
    observed = window.failed
    best = int(np.argmax(by_dimension)) if by_dimension else None
    mixed = by_dimension[best] if best is not None else plain
    if _has_risen(observed, max(mixed, plain), baseline.failed):
        return "global_rise", None
    if mixed >= _SHIFT * plain and observed > (mixed - plain) / math.log(mixed / plain):
        return "mix_shift", best
    return "none", None


def _has_risen(observed: int, expected: float, baseline_failed: int) -> bool:
    deviation = math.sqrt(expected + expected**2 / max(baseline_failed, 1))
    return observed >= _RISE * expected and observed - expected > _SURE * deviation


def _expected(window: Cube, baseline: Cube) -> tuple[float, list[float]]:
    """Failures by the baseline's rate of everything, and by its rates of each dimension."""
    share = (baseline.failed + 0.5) / (baseline.total + 1)
    return share * window.total, [
        _standardised(window, baseline, dim, share) for dim in range(len(window.names))
    ]


def _standardised(window: Cube, baseline: Cube, dim: int, share: float) -> float:
    size = len(window.values[dim])
    n = table(window.codes[:, dim], window.n, size)
    nb = table(baseline.codes[:, dim], baseline.n, size)
    ob = table(baseline.codes[:, dim], baseline.n * (baseline.failure >= 0), size)
    return float((n * (ob + _PRIOR * share) / (nb + _PRIOR)).sum())
