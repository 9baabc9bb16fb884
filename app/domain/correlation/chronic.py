"""How much more often a predicate's attempts have always failed: odds of the baseline, shrunk."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.candidates import Candidates
from app.domain.correlation.cells import Floats

#: Standard deviation, in log odds, of how values of a dimension differ; of values that the
#: baseline hardly knows; and of a conjunction from the sum of its parts.
SPREAD: Final = 1.0
NEW_SPREAD: Final = 0.5
JOINT_SPREAD: Final = 0.35
#: Where the baseline has fewer failures it tells nothing.
LEAST_FAILURES: Final = 5
#: What is allowed then.
BLIND_SPREAD: Final = 0.15


@dataclass(frozen=True, slots=True)
class Chronic:
    """Log odds ratio to the rest: what is expected, and how surely (variance)."""

    mean: Floats
    variance: Floats


def chronic(found: Candidates) -> Chronic:
    """What the baseline lets expect of each candidate."""
    ratio, error = _log_odds(found)
    known = found.total_ob >= LEAST_FAILURES
    mean = np.zeros_like(ratio)
    variance = np.full_like(ratio, BLIND_SPREAD**2)
    share = found.total_ob / np.maximum(found.total_nb, 1.0)
    spread = np.where(found.nb * share >= 0.5, SPREAD, NEW_SPREAD) ** 2
    alone = found.size == 1
    one = known & alone
    mean[one] = (ratio * spread / (spread + error))[one]
    variance[one] = (error * spread / (spread + error))[one]
    parts = np.where(found.single >= 0, found.single, 0)
    given = found.single >= 0
    sum_mean = np.where(given, mean[parts], 0.0).sum(axis=1)
    sum_variance = np.where(given, variance[parts], 0.0).sum(axis=1)
    wide = sum_variance + JOINT_SPREAD**2
    many = known & ~alone
    mean[many] = (sum_mean + (ratio - sum_mean) * wide / (wide + error))[many]
    variance[many] = (wide * error / (wide + error))[many]
    blind = ~known & ~alone
    variance[blind] = sum_variance[blind]
    return Chronic(mean, variance)


def _log_odds(found: Candidates) -> tuple[Floats, Floats]:
    """Log odds ratio inside to outside and its variance.

    Half an expected failure is added to each cell: half a failure and half a success would pull a
    small predicate to 50 %.
    """
    share = np.clip(found.total_ob / np.maximum(found.total_nb, 1.0), 1e-9, 0.5)
    half = 0.5 * (1 - share) / share
    bad = found.ob + 0.5
    good = found.nb - found.ob + half
    rest_bad = found.total_ob - found.ob + 0.5
    rest_good = (found.total_nb - found.nb) - (found.total_ob - found.ob) + half
    ratio = np.log(bad * rest_good / (good * rest_bad))
    error = 1 / bad + 1 / rest_bad + 1 / np.maximum(good, 0.5) + 1 / np.maximum(rest_good, 0.5)
    return ratio, error
