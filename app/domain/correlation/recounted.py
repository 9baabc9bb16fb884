"""A finding's numbers over all attempts of the window: those that whoever lists them counts, too.

A scan that takes explained attempts away sees less of a later predicate where it has some in common
with an earlier one. What is told of it is counted over all of them; the part that should have
failed stays, and how sure it is.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found, Where


def recounted(found: Found, window: Cube, baseline: Cube) -> Found:
    """The finding with the numbers of the whole window and of the whole baseline."""
    n, observed = _counts(found, window)
    baseline_n, baseline_failed = _counts(found, baseline)
    if (n, observed, baseline_n, baseline_failed) == (
        found.n,
        found.observed,
        found.baseline_n,
        found.baseline_failed,
    ):
        return found
    expected = found.expected * n / max(found.n, 1)
    return replace(
        found,
        n=n,
        observed=observed,
        expected=expected,
        lift=observed / expected if expected else found.lift,
        share=observed / max(window.failed, 1),
        baseline_n=baseline_n,
        baseline_failed=baseline_failed,
    )


def fits(where: Where, cube: Cube) -> NDArray[np.bool_]:
    """Which cells a predicate holds for."""
    found = np.ones(len(cube.n), np.bool_)
    for name, value in where.items():
        place = cube.names.index(name)
        values = cube.values[place]
        found &= cube.codes[:, place] == (values.index(value) if value in values else -1)
    return found


def _counts(found: Found, cube: Cube) -> tuple[int, int]:
    """Attempts that fit, and those of them that failed so."""
    inside = fits(found.where, cube)
    failed = inside & (cube.failure >= 0)
    if found.fingerprint is not None:
        known = cube.fingerprints
        group = known.index(found.fingerprint) if found.fingerprint in known else len(known)
        failed &= cube.failure == group
    return int(cube.n[inside].sum()), int(cube.n[failed].sum())
