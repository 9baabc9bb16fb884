"""Attempts and failures of each candidate that no finding explains yet."""

from dataclasses import dataclass

import numpy as np

from app.domain.correlation.candidates import Candidates
from app.domain.correlation.cells import Floats, sums_at
from app.domain.correlation.cube import Cube, Integers
from app.domain.correlation.outcomes import Outcomes
from app.domain.correlation.predicates import Booleans


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is left, by outcome and by candidate; changed in place when something is explained.

    Attributes:
        window: All attempts.
        candidates: Of them.
        rates: Shape (outcomes, cells): how often an attempt is expected to end so.
        left: Shape (outcomes, cells): attempts that are not explained.
        cells: Places of cells that failed; with `outcome`, of which outcome each is a case.
        n, o, expected: Of each candidate: attempts, failures, failures that are expected.
        total_n, total_o, total_expected: Of each outcome: the same of everything.
    """

    window: Cube
    candidates: Candidates
    rates: Floats
    left: Floats
    cells: Integers
    outcome: Integers
    n: Floats
    o: Floats
    expected: Floats
    total_n: Floats
    total_o: Floats
    total_expected: Floats

    def explain(self, inside: Booleans, numbers: frozenset[int]) -> None:
        """Takes cells away, for these outcomes."""
        for number in numbers:
            self.left[number, inside] = 0
        self.count(numbers)

    def count(self, numbers: frozenset[int]) -> None:
        """Counts anew for these outcomes."""
        columns = self.candidates.columns
        failing = {number: self.cells[self.outcome == number] for number in numbers}
        for number in numbers:
            left = self.left[number]
            self.total_n[number] = left.sum()
            self.total_o[number] = left[failing[number]].sum()
            self.total_expected[number] = left @ self.rates[number]
        expected = {number: self.left[number] * self.rates[number] for number in numbers}
        like = self._like(numbers)
        start = 0
        for part in self.candidates.parts:
            stop = start + part.keys.size
            wanted = sorted(numbers & set(part.outcome.tolist()))
            key = columns.key(part.dims) if wanted else self.cells
            size = columns.size(part.dims)
            for first in sorted({int(like[number]) for number in wanted}):
                own = np.flatnonzero(like[part.outcome] == first)
                self.n[start + own] = sums_at(part.keys[own], key, self.left[first], size)
            for number in wanted:
                own = np.flatnonzero(part.outcome == number)
                keys, left, cells = part.keys[own], self.left[number], failing[number]
                self.o[start + own] = sums_at(keys, key[cells], left[cells], size)
                self.expected[start + own] = sums_at(keys, key, expected[number], size)
            start = stop

    def _like(self, numbers: frozenset[int]) -> Integers:
        """Of each outcome the first one that has as much left of every cell: most have.

        -1 of those that are not among the numbers.
        """
        like = np.full(self.total_n.size, -1, dtype=np.int64)
        for number in sorted(numbers):
            same = (
                first
                for first in np.unique(like[like >= 0]).tolist()
                if np.array_equal(self.left[first], self.left[number])
            )
            like[number] = next(same, number)
        return like


def tally_of(window: Cube, found: Candidates, outcomes: Outcomes, rates: Floats) -> Tally:
    """Everything is left."""
    cells, outcome = outcomes.failures(window)
    count = found.outcome.size
    tally = Tally(
        window=window,
        candidates=found,
        rates=rates,
        left=np.repeat(window.n[None, :].astype(np.float64), outcomes.count, axis=0),
        cells=cells,
        outcome=outcome,
        n=np.empty(count),
        o=np.empty(count),
        expected=np.empty(count),
        total_n=np.empty(outcomes.count),
        total_o=np.empty(outcomes.count),
        total_expected=np.empty(outcomes.count),
    )
    tally.count(frozenset(range(outcomes.count)))
    return tally
