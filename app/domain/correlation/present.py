"""What a predicate's attempts are in the window, and how such attempts have failed before.

A worker that now runs the new release alone has a past of mostly the old one. Where it did run the
new one before, and failed as it does now, nothing has broken since.
"""

from collections.abc import Iterator

import numpy as np

from app.domain.correlation.cells import by_value
from app.domain.correlation.cube import Cube
from app.domain.correlation.past import Before, Past
from app.domain.correlation.predicates import Booleans, Predicate


def such_before(
    window: Cube, past: Past, one: Predicate, outcome: int, *, nearly_all: float
) -> Before:
    """Counts of the baseline, for each value that nearly all attempts have now and had not before.

    Args:
        window: What is looked at.
        past: The baseline.
        one: The predicate.
        outcome: Which failures.
        nearly_all: From which part of the attempts on a value is said to be that of all.
    """
    inside = one.fits(past.cube)
    places = np.flatnonzero(inside)
    expected = past.rate(outcome)[places] * past.cube.n[places]
    failed = past.failures(outcome)[places]
    rows = [same[places] for same in _same(window, past.cube, one, nearly_all)]
    return Before(
        np.array([float(failed[row].sum()) for row in rows]),
        np.array([float(expected[row].sum()) for row in rows]),
    )


def _same(window: Cube, baseline: Cube, one: Predicate, nearly_all: float) -> Iterator[Booleans]:
    """Cells of the baseline with such a value: of one dimension after the other."""
    here, there = one.fits(window), one.fits(baseline)
    for dim in range(len(window.names)):
        if dim in one.dims:
            continue
        now, before = by_value(window, dim, here), by_value(baseline, dim, there)
        most = int(np.argmax(now))
        if now[most] >= nearly_all * now.sum() and before[most] < nearly_all * before.sum():
            yield baseline.codes[:, dim] == most
