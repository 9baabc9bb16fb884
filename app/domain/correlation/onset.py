"""Since when attempts fail more often: the change point of a finding's attempts."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cells import Floats
from app.domain.correlation.cube import Integers
from app.domain.correlation.found import Onset

#: How many attempts the expected rate weighs, beside those before the change.
_PRIOR: Final = 100.0
#: Probability that it began in the window, before the attempts are looked at.
_BEGAN: Final = 0.5
#: Part of the probability outside of the interval, on each side.
_TAIL: Final = 0.025


def onset(
    at: Floats | Integers,
    failed: NDArray[np.bool_],
    *,
    start: float,
    end: float,
    expected_rate: float,
) -> Onset | None:
    """The moment from which on the attempts fail more often; None: all the window long.

    Every moment is as likely before the attempts are looked at. Between two attempts nothing is
    known, so that an answer from few attempts is of a wide interval. It is reckoned from the
    window's start: of moments since the epoch digits would be lost.

    Args:
        at: Moments of the finding's attempts, in any order and unit.
        failed: Which of them failed as the finding says.
        start: Of the window.
        end: Of the window.
        expected_rate: Part that would fail without the cause: expected / n of the finding.
    """
    if not failed.any():
        return None
    order = np.lexsort((failed, at))
    length = end - start
    moments = np.clip((at[order] - start).astype(np.float64), 0.0, length)
    edges = np.concatenate([[0.0], moments])
    likelihood = _likelihoods(failed[order], min(max(expected_rate, 1e-6), 0.5))
    gaps = np.diff(edges) / max(length, 1e-9)
    weights = gaps * np.exp(likelihood[: gaps.size] - likelihood.max())
    always = np.exp(likelihood[0] - likelihood.max())
    total = float(weights.sum())
    if _BEGAN * total <= (1 - _BEGAN) * always or total <= 0:
        return None
    passed = np.concatenate([[0.0], np.cumsum(weights) / total])
    low, middle, high = (float(np.interp(part, passed, edges)) for part in (_TAIL, 0.5, 1 - _TAIL))
    since = moments >= middle
    return Onset(
        at=middle + start,
        low=low + start,
        high=high + start,
        n=int(since.sum()),
        observed=int((failed[order] & since).sum()),
    )


def _likelihoods(failed: NDArray[np.bool_], expected_rate: float) -> Floats:
    """Log likelihood where the first 0, 1, 2 … attempts were before the change, for the worse.

    Neither rate is known: each attempt is as likely as those of its side, before it and after it,
    let it be. So two rates that fit better than one are believed only where they fit much better.
    """
    prior = _PRIOR * expected_rate
    before = np.concatenate([[0.0], np.cumsum(_predicted(failed, prior, _PRIOR - prior))])
    after = np.concatenate([np.cumsum(_predicted(failed[::-1], 0.5, 0.5))[::-1], [0.0]])
    n = np.arange(failed.size + 1, dtype=np.float64)
    o = np.concatenate([[0.0], np.cumsum(failed)])
    is_worse = (o[-1] - o) * np.maximum(n, 1) > o * (failed.size - n)
    return np.where((n == 0) | is_worse, before + after, -np.inf)


def _predicted(failed: NDArray[np.bool_], more: float, less: float) -> Floats:
    """Log probability of each attempt after those before it, by a beta prior of the rate."""
    n = np.arange(failed.size, dtype=np.float64)
    o = np.concatenate([[0.0], np.cumsum(failed)[:-1]])
    chance = np.where(failed, o + more, n - o + less) / (n + more + less)
    return np.log(chance)
