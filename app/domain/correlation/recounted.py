"""A predicate by its names: which cells it holds for, and what a finding's past is by it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found, Where


def with_past_of(found: Found, baseline: Cube) -> Found:
    """The finding with what the baseline has of its predicate, which was told otherwise before."""
    inside = fits(found.where, baseline)
    failed = inside & (baseline.failure >= 0)
    if found.fingerprint is not None:
        failed &= baseline.failure == baseline.fingerprints.index(found.fingerprint)
    return replace(
        found,
        baseline_n=int(baseline.n[inside].sum()),
        baseline_failed=int(baseline.n[failed].sum()),
    )


def fits(where: Where, cube: Cube) -> NDArray[np.bool_]:
    """Which cells a predicate holds for."""
    found = np.ones(len(cube.n), np.bool_)
    for name, value in where.items():
        place = cube.names.index(name)
        values = cube.values[place]
        found &= cube.codes[:, place] == (values.index(value) if value in values else -1)
    return found
