"""Whether all fails more often, or only more of what always failed often runs."""

import math
from typing import Final

import numpy as np

from app.domain.correlation.cells import Floats, table
from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Kind, Overall
from app.domain.correlation.predicates import Booleans

#: Standard deviations above what is expected, and how many times as much, for a rise.
_SURE: Final = 3.09
_RISE: Final = 1.3
#: By how much a mix has to raise what is expected, to be told.
_SHIFT: Final = 1.15
#: Attempts of a value that the rate of everything weighs, beside its own.
_PRIOR: Final = 50.0


def overall(window: Cube, baseline: Cube, usual: Floats, explained: Booleans) -> Overall:
    """Compares with the baseline's rates, for the mix of the window (indirect standardisation).

    Args:
        window: What is looked at.
        baseline: What was before.
        usual: Failures that the baseline lets expect of each cell of the window.
        explained: Cells of which a finding says why they fail.
    """
    kind, dimension = _kind(window, baseline, usual, ~explained)
    name = None if dimension is None else window.names[dimension]
    expected = float(usual.sum()) if baseline.total else float(window.failed)
    return Overall(kind=kind, dimension=name, observed=window.failed, expected=expected)


def _kind(window: Cube, baseline: Cube, usual: Floats, left: Booleans) -> tuple[Kind, int | None]:
    if baseline.total == 0 or not left.any():
        return "none", None
    n = window.n[left]
    observed = int(n[window.failure[left] >= 0].sum())
    share = (baseline.failed + 0.5) / (baseline.total + 1)
    plain = share * float(n.sum())
    by_dimension = [
        _standardised(window, baseline, dim, share, left) for dim in range(len(window.names))
    ]
    mixed = max([float(usual[left].sum()), *by_dimension])
    if _has_risen(observed, max(mixed, plain), baseline.failed):
        return "global_rise", None
    if mixed >= _SHIFT * plain and observed > (mixed - plain) / math.log(mixed / plain):
        return "mix_shift", int(np.argmax(by_dimension))
    return "none", None


def _has_risen(observed: int, expected: float, baseline_failed: int) -> bool:
    deviation = math.sqrt(expected + expected**2 / max(baseline_failed, 1))
    return observed >= _RISE * expected and observed - expected > _SURE * deviation


def _standardised(window: Cube, baseline: Cube, dim: int, share: float, left: Booleans) -> float:
    size = len(window.values[dim])
    n = table(window.codes[left, dim], window.n[left], size)
    nb = table(baseline.codes[:, dim], baseline.n, size)
    ob = table(baseline.codes[:, dim], baseline.n * (baseline.failure >= 0), size)
    return float((n * (ob + _PRIOR * share) / (nb + _PRIOR)).sum())
