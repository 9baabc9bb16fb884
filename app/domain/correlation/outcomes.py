"""Outcomes that a scan looks for: any failure, and failures of one fingerprint."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cells import Floats, table
from app.domain.correlation.cube import Cube, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What is looked for. Number 0 is any failure.

    Attributes:
        fingerprints: Places in the cubes' fingerprints of the outcomes from number 1 on.
    """

    fingerprints: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.fingerprints) + 1

    def fingerprint(self, cube: Cube, number: int) -> str | None:
        """Which fingerprint an outcome is; None: any failure."""
        return cube.fingerprints[self.fingerprints[number - 1]] if number else None

    def is_case(self, cube: Cube, number: int) -> NDArray[np.bool_]:
        """Which cells are of failures of an outcome."""
        if number == 0:
            return cube.failure >= 0
        return np.equal(cube.failure, self.fingerprints[number - 1])

    def explained_by(self, number: int) -> frozenset[int]:
        """Outcomes for which a finding of this one explains attempts: any failure, and its own.

        A finding of any failure explains them for all.
        """
        return frozenset((0, number)) if number else frozenset(range(self.count))

    def failures(self, cube: Cube) -> tuple[Integers, Integers]:
        """Places of cells, and the outcome that each is a case of; a cell may be of two."""
        failed = np.flatnonzero(cube.failure >= 0)
        number = np.zeros(len(cube.fingerprints) + 1, dtype=np.int64)
        number[list(self.fingerprints)] = np.arange(1, self.count)
        of = number[cube.failure[failed]]
        named = of > 0
        cells = np.concatenate([failed, failed[named]])
        return cells, np.concatenate([np.zeros(failed.size, dtype=np.int64), of[named]])


def outcomes_of(window: Cube, baseline: Cube, *, most: int, min_failures: int) -> Outcomes:
    """Any failure, and the most frequent fingerprints of the window that are not all failures."""
    size = len(window.fingerprints)
    seen = _by_fingerprint(window, size)
    before = _by_fingerprint(baseline, size)
    ranked = np.argsort(-seen, kind="stable")
    chosen = [
        int(place)
        for place in ranked
        if seen[place] >= min_failures
        and window.fingerprints[place]
        and (seen[place] < window.failed or before[place] < baseline.failed)
    ]
    return Outcomes(fingerprints=tuple(chosen[:most]))


def _by_fingerprint(cube: Cube, size: int) -> Floats:
    failed = cube.failure >= 0
    return table(cube.failure[failed], cube.n[failed], size)
