"""How often attempts have always failed: a main-effects model of the baseline, for every outcome.

A value that runs other work than before, such as a worker that now has all the long texts, must
not look as if it had broken. So each attempt of the window is expected to fail by all its values
together: log odds are a sum over the dimensions, fitted to the baseline and shrunk. How failures
divide into fingerprints is fitted to the failures alone, which are few.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.cells import Floats, table
from app.domain.correlation.cube import Cube
from app.domain.correlation.outcomes import Outcomes

#: Standard deviation, in log odds, by which values of a dimension differ; and of values that the
#: baseline hardly knows.
SPREAD: Final = 0.7
NEW_SPREAD: Final = 0.5
#: The same where the baseline has too few failures to tell.
BLIND_SPREAD: Final = 0.15
#: Where the baseline has fewer failures of an outcome, it tells nothing of it.
LEAST_FAILURES: Final = 5
_SWEEPS: Final = 6
#: Steps of effects that are smaller than this change nothing that is told.
_SETTLED: Final = 0.02


@dataclass(frozen=True, slots=True)
class Effects:
    """Log odds (or log shares) as a sum over dimensions.

    Attributes:
        base: What everything has in common.
        of: By dimension, what each value adds.
        variance: By dimension, how sure that is.
    """

    base: float
    of: tuple[Floats, ...]
    variance: tuple[Floats, ...]

    def at(self, cube: Cube) -> Floats:
        """The sum for each cell."""
        found = np.full(cube.n.size, self.base)
        for dim, effect in enumerate(self.of):
            if effect.any():
                found += effect[cube.codes[:, dim]]
        return found

    def parts(self, cube: Cube) -> Floats:
        """What part of failures it is, for each cell."""
        parts: Floats = np.exp(np.minimum(self.at(cube), 0.0))
        return parts


@dataclass(frozen=True, slots=True)
class Chronic:
    """What the baseline lets expect: any failure, and the share of each fingerprint in them."""

    any: Effects
    shares: tuple[Effects, ...]

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
        odds = np.exp(self.any.at(cube))
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
    failed = baseline.failure >= 0
    n = baseline.n.astype(np.float64)
    every = _fit(baseline, n, n * failed)
    part = _failures_of(baseline)
    own = part.n.astype(np.float64)
    shares = tuple(
        _fit(part, own, own * (part.failure == place), is_share=True)
        for place in outcomes.fingerprints
    )
    return Chronic(every, shares)


def _failures_of(cube: Cube) -> Cube:
    failed = cube.failure >= 0
    return Cube(
        names=cube.names,
        values=cube.values,
        codes=cube.codes[failed],
        failure=cube.failure[failed],
        n=cube.n[failed],
        fingerprints=cube.fingerprints,
    )


def _fit(cube: Cube, n: Floats, o: Floats, *, is_share: bool = False) -> Effects:
    """Effects by value: coordinate by coordinate, each shrunk to 0 by a normal prior.

    Args:
        cube: The cells.
        n: Trials of each cell.
        o: Those that succeeded.
        is_share: Whether effects are of the logarithm of a part, not of log odds.
    """
    cards = [len(values) for values in cube.values]
    total_n, total_o = float(n.sum()), float(o.sum())
    rate = (total_o + 0.5) / (total_n + 1)
    base = np.log(rate) if is_share else np.log(rate / (1 - rate))
    if total_o < LEAST_FAILURES:
        blind = tuple(np.full(card, BLIND_SPREAD**2) for card in cards)
        return Effects(float(base), tuple(np.zeros(card) for card in cards), blind)
    codes = [np.ascontiguousarray(cube.codes[:, dim]) for dim in range(len(cards))]
    tallies = [
        (table(column, n, card), table(column, o, card))
        for column, card in zip(codes, cards, strict=True)
    ]
    prior = [1 / np.where(seen * rate >= 0.5, SPREAD, NEW_SPREAD) ** 2 for seen, _ in tallies]
    effects = [np.zeros(card) for card in cards]
    odds = np.full(n.size, np.exp(base))
    expected = [np.zeros(card) for card in cards]
    for _ in range(_SWEEPS):
        moved = 0.0
        for dim, column in enumerate(codes):
            chance = np.minimum(odds, 1.0) if is_share else odds / (1 + odds)
            expected[dim] = table(column, n * chance, cards[dim])
            step = _step(tallies[dim][1], expected[dim], effects[dim], prior[dim])
            effects[dim] += step
            moved = max(
                moved, float(np.abs(step * np.minimum(expected[dim], 1.0)).max(initial=0.0))
            )
            odds *= np.exp(step)[column]
        chance = np.minimum(odds, 1.0) if is_share else odds / (1 + odds)
        shift = np.log(total_o / max(float((n * chance).sum()), 1e-9))
        base += shift
        odds *= np.exp(shift)
        if moved < _SETTLED:
            break
    variance = tuple(
        1 / (np.maximum(seen, 0.0) + weight) for seen, weight in zip(expected, prior, strict=True)
    )
    return Effects(float(base), tuple(effects), variance)


def _step(o: Floats, expected: Floats, effect: Floats, prior: Floats) -> Floats:
    """By how much an effect has to change: expected exp(step) + prior (effect + step) = o."""
    step = np.log((o + 0.5) / (expected + 0.5))
    for _ in range(4):
        grown = expected * np.exp(step)
        step = step - (grown + prior * (effect + step) - o) / (grown + prior)
        step = np.minimum(np.maximum(step, -3.0), 3.0)
    return step
