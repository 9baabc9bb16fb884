"""Effects of values, fitted to counts: of several outcomes at once, each as if it were alone.

There are few values and many steps: a step for all outcomes costs hardly more than one for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cells import Floats, table
from app.domain.correlation.cube import Cube, Integers

#: Standard deviation, in log odds, by which values of a dimension differ; and of values that the
#: baseline hardly knows.
SPREAD: Final = 0.7
NEW_SPREAD: Final = 0.5
#: The same where the baseline has too few failures to tell.
BLIND_SPREAD: Final = 0.15
#: Where the baseline has fewer failures of an outcome, it tells nothing of it.
LEAST_FAILURES: Final = 5
_SWEEPS: Final = 6
#: An effect moves by no more than this at a step.
_FARTHEST: Final = 6.0
#: As much as the values of a dimension that the baseline knows differ, those differ that it does
#: not know: as if so many more of them differed by `NEW_SPREAD`; and by this at least.
_AS_IF: Final = 4.0
_LEAST_SPREAD: Final = 0.3
#: Failures expected of a value from which on it is known by how much it differs.
_TELLING: Final = 2.0
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


def fit(cube: Cube, n: Floats, cases: Floats, *, is_share: bool = False) -> list[Effects]:
    """Effects by value: coordinate by coordinate, each shrunk to 0 by a normal prior.

    Args:
        cube: The cells.
        n: Trials of each cell.
        cases: Shape (outcomes, cells): those that succeeded.
        is_share: Whether effects are of the logarithm of a part, not of log odds.
    """
    total = cases.sum(axis=1)
    rate = (total + 0.5) / (float(n.sum()) + 1)
    base = np.log(rate) if is_share else np.log(rate / (1 - rate))
    found = [_blind(float(one), cube) for one in base]
    rows = np.flatnonzero(total >= LEAST_FAILURES)
    fitting = _begun(cube, n, cases[rows], rate[rows], base[rows], is_share=is_share)
    for left in range(_SWEEPS - 1, -1, -1):
        if not rows.size:
            break
        is_settled = (fitting.sweep() < _SETTLED) | (left == 0)
        for row in np.flatnonzero(is_settled).tolist():
            found[rows[row]] = fitting.told(row)
        rows = rows[~is_settled]
        fitting.go_on(np.flatnonzero(~is_settled))
    return found


def _blind(base: float, cube: Cube) -> Effects:
    """Where too little failed to tell anything."""
    cards = [len(values) for values in cube.values]
    return Effects(
        base,
        tuple(np.zeros(card) for card in cards),
        tuple(np.full(card, BLIND_SPREAD**2) for card in cards),
    )


@dataclass(slots=True)
class _Dimension:
    """The values of a dimension.

    Attributes:
        codes: The value of each cell.
        trials: Of each value.
        tally, prior, effect, expected: Shape (outcomes, values).
        is_new: The same shape: values that the baseline hardly knows.
    """

    codes: Integers
    trials: Floats
    tally: Floats
    prior: Floats
    effect: Floats
    expected: Floats
    is_new: NDArray[np.bool_]

    def go_on(self, rows: Integers) -> None:
        """With these outcomes only."""
        self.tally, self.prior = self.tally[rows], self.prior[rows]
        self.effect, self.expected = self.effect[rows], self.expected[rows]
        self.is_new = self.is_new[rows]


@dataclass(slots=True)
class _Fitting:
    """Outcomes that are being fitted.

    Attributes:
        n: Trials of each cell.
        is_share: As of `fit`.
        total, base: Of each outcome.
        odds: Shape (outcomes, cells).
    """

    n: Floats
    is_share: bool
    dimensions: Sequence[_Dimension]
    total: Floats
    base: Floats
    odds: Floats

    def sweep(self) -> Floats:
        """Each dimension once; by how much the effects of each outcome moved at most."""
        moved = np.zeros(self.total.size)
        for one in self.dimensions:
            one.expected = _tables(one.codes, self._expected(), one.tally.shape[1])
            step = _log_step(one) if self.is_share else _logit_step(one)
            one.effect = one.effect + step
            change = np.abs(step * np.minimum(one.expected, 1.0)).max(axis=1, initial=0.0)
            moved = np.maximum(moved, change)
            self.odds *= np.take(np.exp(step), one.codes, axis=1)
        shift = np.log(self.total / np.maximum(self._expected().sum(axis=1), 1e-9))
        self.base = self.base + shift
        self.odds *= np.exp(shift)[:, None]
        return moved

    def _expected(self) -> Floats:
        """Cases that are expected of each cell."""
        chance = np.minimum(self.odds, 1.0) if self.is_share else self.odds / (1 + self.odds)
        return self.n * chance

    def told(self, row: int) -> Effects:
        """The effects of one outcome."""
        return Effects(
            float(self.base[row]),
            tuple(one.effect[row] for one in self.dimensions),
            tuple(self._variance(one, row) for one in self.dimensions),
        )

    def _variance(self, one: _Dimension, row: int) -> Floats:
        """How sure the effects of one outcome are."""
        expected = np.maximum(one.expected[row], 0.0)
        known = expected if self.is_share else expected * (1 - expected / np.maximum(one.trials, 1))
        telling = one.effect[row][expected >= _TELLING]
        learned = (float(telling @ telling) + _AS_IF * NEW_SPREAD**2) / (telling.size + _AS_IF)
        least = np.where(one.is_new[row], 1 / max(learned, _LEAST_SPREAD**2), 0.0)
        return np.asarray(1 / (np.maximum(known, 0.0) + np.maximum(one.prior[row], least)))

    def go_on(self, rows: Integers) -> None:
        """With these outcomes only."""
        if rows.size < self.total.size:
            self.total, self.base, self.odds = self.total[rows], self.base[rows], self.odds[rows]
            for one in self.dimensions:
                one.go_on(rows)


def _begun(
    cube: Cube, n: Floats, cases: Floats, rate: Floats, base: Floats, *, is_share: bool
) -> _Fitting:
    return _Fitting(
        n=n,
        is_share=is_share,
        dimensions=[
            _dimension(np.ascontiguousarray(cube.codes[:, dim]), len(values), n, cases, rate)
            for dim, values in enumerate(cube.values)
        ],
        total=cases.sum(axis=1),
        base=base,
        odds=np.repeat(np.exp(base)[:, None], n.size, axis=1),
    )


def _dimension(codes: Integers, card: int, n: Floats, cases: Floats, rate: Floats) -> _Dimension:
    trials = table(codes, n, card)
    is_new = trials * rate[:, None] < 0.5
    nothing = np.zeros((rate.size, card))
    return _Dimension(
        codes=codes,
        trials=trials,
        tally=_tables(codes, cases, card),
        prior=1 / np.where(is_new, NEW_SPREAD, SPREAD) ** 2,
        effect=nothing,
        expected=nothing,
        is_new=is_new,
    )


def _tables(codes: Integers, weights: Floats, card: int) -> Floats:
    """The sum of the weights of each value, row by row."""
    if not len(weights):
        return np.zeros((0, card))
    return np.stack([table(codes, row, card) for row in weights])


def _log_step(one: _Dimension) -> Floats:
    """By how much effects have to change: expected exp(step) + prior (effect + step) = tally."""
    step = np.log((one.tally + 0.5) / (one.expected + 0.5))
    for _ in range(4):
        grown = one.expected * np.exp(step)
        step = step - (grown + one.prior * (one.effect + step) - one.tally) / (grown + one.prior)
        step = np.clip(step, -_FARTHEST / 2, _FARTHEST / 2)
    return step


def _logit_step(one: _Dimension) -> Floats:
    """The same of log odds, as if all trials of a value were alike: no more can fail than run."""
    trials = np.maximum(one.trials, 1e-9)
    expected = np.clip(one.expected, 0.0, trials * (1 - 1e-9))
    odds = expected / (trials - expected)
    step = np.log((one.tally + 0.5) / (trials - one.tally + 0.5))
    step = step - np.log((expected + 0.5) / (trials - expected + 0.5))
    for _ in range(4):
        step = np.clip(step, -_FARTHEST, _FARTHEST)
        grown = odds * np.exp(step)
        cases = trials * grown / (1 + grown)
        slope = cases / (1 + grown) + one.prior
        step = step - (cases + one.prior * (one.effect + step) - one.tally) / slope
    return np.clip(step, -_FARTHEST, _FARTHEST)
