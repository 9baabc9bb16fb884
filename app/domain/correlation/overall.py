"""Whether all fails more often, or only more of what always failed often runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.cells import Floats, by_value
from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Kind, Overall, Where
from app.domain.correlation.predicates import Booleans
from app.domain.correlation.recounted import fits

#: Standard deviations above what is expected, and how many times as much, for a rise.
_SURE: Final = 2.7
_RISE: Final = 1.3
#: By how much a mix has to raise what is expected, and by how many standard deviations of what the
#: baseline knows of it.
_SHIFT: Final = 1.18
_SURE_SHIFT: Final = 2.0
_LIKELY_SHIFT: Final = 1.0
_SURE_BOTH: Final = 3.0
#: To what part of it a mix has to lower what is expected, for less to be expected at all.
_FALL: Final = 0.9
#: From how many times as much on the mix of all dimensions counts.
_MOVED: Final = 1.1
#: With hardly more attempts in the baseline than this, a value is new: that nobody knows how often
#: it fails is no excuse for a rise of everything.
_NEW: Final = 5.0
#: Attempts of a value that the rate of everything weighs, beside its own.
_PRIOR: Final = 50.0


@dataclass(frozen=True, slots=True)
class _Mix:
    """Failures by the baseline's rates of one dimension's values.

    Attributes:
        expected: For the mix of the window.
        error: Variance of that, by what the baseline has of each value.
        shift: By how many standard deviations the change of the mix raises it.
    """

    expected: float
    error: float
    shift: float


def overall(window: Cube, baseline: Cube, usual: Floats, found: Sequence[Where]) -> Overall:
    """Compares with the baseline's rates, for the mix of the window (indirect standardisation).

    Args:
        window: What is looked at.
        baseline: What was before.
        usual: Failures that the baseline lets expect of each cell of the window.
        found: Predicates of which a finding says why they fail: the rest is judged by its own past.
    """
    left = ~_any_fits(found, window)
    past = baseline.only(~_any_fits(found, baseline)) if found else baseline
    kind, dimension = _kind(window.only(left), past, float(usual[left].sum()))
    name = None if dimension is None else window.names[dimension]
    expected = float(usual.sum()) if baseline.total else float(window.failed)
    return Overall(kind=kind, dimension=name, observed=window.failed, expected=expected)


def _any_fits(found: Sequence[Where], cube: Cube) -> Booleans:
    inside = np.zeros(cube.n.size, np.bool_)
    for where in found:
        inside |= fits(where, cube)
    return inside


def _kind(window: Cube, baseline: Cube, usual: float) -> tuple[Kind, int | None]:
    """What became of the attempts that no finding explains, and where their mix changed.

    A rise has to be more than the mix of all dimensions lets expect, and more than that of the one
    which shifted most, or than the baseline's rate of everything where none has.
    """
    if not baseline.total or not window.total:
        return "none", None
    share = (baseline.failed + 0.5) / (baseline.total + 1)
    plain = share * window.total
    mixes = [_mix(window, baseline, dim, share) for dim in range(len(window.names))]
    dim = int(np.argmax([mix.expected for mix in mixes])) if mixes else 0
    rise = _deviations(window.failed, plain, plain**2 / max(baseline.failed, 1))
    has_shifted = bool(mixes) and _has_shifted(mixes[dim], plain, rise)
    most, error = _most(mixes, plain, usual, baseline.failed)
    if has_shifted and mixes[dim].expected > most:
        most, error = mixes[dim].expected, mixes[dim].error
    if window.failed >= _RISE * most and _deviations(window.failed, most, error) > _SURE:
        return "global_rise", None
    if has_shifted and window.failed > plain:
        return "mix_shift", dim
    return "none", None


def _most(
    mixes: list[_Mix], plain: float, usual: float, baseline_failed: int
) -> tuple[float, float]:
    """What is expected at most, and the variance of that.

    By the rate of everything, unless the mix of all dimensions surely changes it: what the baseline
    says of each value is less sure than what it says of all, and many values at once are fitted to
    it too well. So less is expected only by as much as one dimension alone says.
    """
    error = max((mix.error for mix in mixes), default=0.0)
    if usual > _MOVED * plain:
        return usual, error
    fallen = [mix.expected for mix in mixes if _has_fallen(mix, plain)]
    if fallen:
        return max(usual, min(fallen)), error
    return plain, plain**2 / max(baseline_failed, 1)


def _deviations(observed: int, expected: float, error: float) -> float:
    """By how many standard deviations it is more; by square roots, in which few are told, too."""
    more = 2 * (math.sqrt(observed) - math.sqrt(expected))
    return more / math.sqrt(1 + error / max(expected, 1e-9))


def _has_shifted(mix: _Mix, plain: float, rise: float) -> bool:
    """Whether a mix surely raises what is expected; less sure is enough where failures rose."""
    is_sure = mix.shift >= _SURE_SHIFT or (
        mix.shift >= _LIKELY_SHIFT and mix.shift + rise >= _SURE_BOTH
    )
    return mix.expected >= _SHIFT * plain and is_sure


def _has_fallen(mix: _Mix, plain: float) -> bool:
    return mix.expected <= _FALL * plain and mix.shift <= -_SURE_BOTH


def _mix(window: Cube, baseline: Cube, dim: int, share: float) -> _Mix:
    n, nb = by_value(window, dim), by_value(baseline, dim)
    ob = by_value(baseline, dim, baseline.failure >= 0)
    rate = (ob + _PRIOR * share) / (nb + _PRIOR)
    moved = n - n.sum() * nb / nb.sum()
    variance = rate / (nb + _PRIOR)
    deviation = math.sqrt(float((moved**2 * variance).sum()))
    return _Mix(
        expected=float((n * rate).sum()),
        error=float((n**2 * variance * nb / (nb + _NEW)).sum()),
        shift=float((moved * rate).sum()) / max(deviation, 1e-9),
    )
