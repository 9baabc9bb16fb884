"""How often attempts have always failed: a main-effects model of the baseline, for every outcome.

A value that runs other work than before, such as a worker that now has all the long texts, must
not look as if it had broken. So each attempt of the window is expected to fail by all its values
together: log odds are a sum over the dimensions, fitted to the baseline and shrunk. How failures
divide into fingerprints is fitted to the failures alone, which are few.
"""

from dataclasses import dataclass

import numpy as np

from app.domain.correlation.cells import Floats
from app.domain.correlation.cube import Cube
from app.domain.correlation.fitting import Effects, fit
from app.domain.correlation.outcomes import Outcomes
from app.domain.correlation.predicates import Predicate


@dataclass(frozen=True, slots=True)
class Joint:
    """A pair of values, and by how much its log odds differ from the sum of theirs."""

    predicate: Predicate
    shift: float


@dataclass(frozen=True, slots=True)
class Chronic:
    """What the baseline lets expect: any failure, and the share of each fingerprint in them."""

    any: Effects
    shares: tuple[Effects, ...]
    joints: tuple[Joint, ...] = ()

    def rates(self, cube: Cube) -> Floats:
        """Shape (outcomes, cells): probability that an attempt of the cell has the outcome."""
        failing = self.failing(cube)
        return np.stack([failing, *(failing * share.parts(cube) for share in self.shares)])

    def rate(self, cube: Cube, outcome: int) -> Floats:
        """The same for one outcome."""
        failing = self.failing(cube)
        return failing if outcome == 0 else failing * self.shares[outcome - 1].parts(cube)

    def failing(self, cube: Cube) -> Floats:
        """Probability that an attempt of the cell fails."""
        log_odds = self.any.at(cube)
        for joint in self.joints:
            log_odds[joint.predicate.fits(cube)] += joint.shift
        odds = np.exp(log_odds)
        rate: Floats = np.clip(odds / (1 + odds), 1e-9, 0.98)
        return rate

    def variance(self) -> tuple[Floats, ...]:
        """By dimension, shape (outcomes, values): how sure the log odds of each value are."""
        return tuple(
            np.stack([one, *(one + share.variance[dim] for share in self.shares)])
            for dim, one in enumerate(self.any.variance)
        )


def chronic(baseline: Cube, outcomes: Outcomes) -> Chronic:
    """Fits the baseline; where it has too few failures, everything is expected to be alike."""
    n = baseline.n.astype(np.float64)
    [every] = fit(baseline, n, (n * (baseline.failure >= 0))[None])
    part = baseline.only(baseline.failure >= 0)
    own = part.n.astype(np.float64)
    places = np.array(outcomes.fingerprints, dtype=np.int64)
    return Chronic(
        every, tuple(fit(part, own, own * (part.failure == places[:, None]), is_share=True))
    )
