"""How much better it explains the window that attempts of a predicate fail at a rate of their own.

The null is one and the same for all predicates: every attempt fails as often as the baseline lets
expect, times what all fail more often now. So predicates can be compared: what the wider one has
more has to fail like the rest of it, or it loses (Kulldorff's scan statistic, for attempts that
are not alike).
"""

import numpy as np

from app.domain.correlation.cells import Floats, sums_at
from app.domain.correlation.tally import Tally

#: No attempt is expected to fail as good as always, or as good as never.
_LEAST, _MOST = 1e-9, 0.98


def gains(tally: Tally, numbers: frozenset[int]) -> Floats:
    """Log likelihood ratio of each candidate with one of these outcomes; 0 for others."""
    found = tally.candidates
    scale = tally.total_o / np.maximum(tally.total_expected, 1e-9)
    null = np.zeros(tally.n.size)
    for number in numbers:
        _add_null(tally, number, float(scale[number]), null)
    rate = np.clip(tally.o / np.maximum(tally.n, 1), 1e-12, 1 - 1e-12)
    own = tally.o * np.log(rate) + (tally.n - tally.o) * np.log1p(-rate)
    rest_o = np.maximum(tally.total_o[found.outcome] - tally.o, 0.0)
    rest = np.maximum(tally.total_expected[found.outcome] - tally.expected, 1e-9)
    before = np.maximum(scale[found.outcome], 1e-9)
    after = np.maximum(rest_o, 1e-9) / rest
    outside = rest_o * np.log(after / before) - (after - before) * rest
    gained: Floats = np.where(
        np.isin(found.outcome, list(numbers)) & (tally.o > 0), own - null + outside, 0.0
    )
    return gained


def _add_null(tally: Tally, number: int, scale: float, null: Floats) -> None:
    """Sums up by candidate the log likelihood of its attempts under the null, in place."""
    chance = np.clip(tally.rates[number] * scale, _LEAST, _MOST)
    spared = np.log1p(-chance)
    cells = tally.cells[tally.outcome == number]
    left = tally.left[number]
    likelihood = left * spared
    np.add.at(likelihood, cells, left[cells] * (np.log(chance) - spared)[cells])
    columns = tally.candidates.columns
    start = 0
    for part in tally.candidates.parts:
        own = np.flatnonzero(part.outcome == number)
        if own.size:
            key, size = columns.key(part.dims), columns.size(part.dims)
            null[start + own] = sums_at(part.keys[own], key, likelihood, size)
        start += part.keys.size
