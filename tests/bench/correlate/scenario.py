"""One scenario: rows of a window and of its baseline, and what was planted in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cube import Cube, Integers
from app.domain.correlation.grouping import grouped

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
#: Length of every window.
WINDOW_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Attempts, one a row.

    Attributes:
        codes: Shape (rows, dimensions).
        failure: -1, or a place in the scenario's fingerprints.
        at: Seconds after the window's start; the baseline's are negative.
    """

    codes: Integers
    failure: Integers
    at: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a scan is given, and what it should find.

    Attributes:
        suite: Kind of scenario: `single`, `null-mix` …
        planted: Predicates that cause failures, as dimension to code.
        onset: Part of the window at which the cause began; None: before it.
        overall: What is true of the whole; None: not judged.
        mixed: Of a mix shift: the dimension whose shares moved.
    """

    suite: str
    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    fingerprints: tuple[str, ...]
    window: Rows
    baseline: Rows
    planted: tuple[Mapping[int, int], ...] = ()
    onset: float | None = None
    overall: str | None = None
    mixed: str | None = None

    def cubes(self) -> tuple[Cube, Cube]:
        """Both sides, in cells."""
        first, second = (self._cube(rows) for rows in (self.window, self.baseline))
        return first, second

    def rise(self) -> float:
        """How many times as often attempts of the window fail as those of the baseline."""
        now, before = ((side.failure >= 0).mean() for side in (self.window, self.baseline))
        return float(now / before)

    def fits(self, where: Mapping[int, int]) -> Booleans:
        """Rows of the window that fit a predicate."""
        return fits(self.window.codes, where)

    def where(self, named: Mapping[str, str]) -> dict[int, int]:
        """A predicate in names, in codes."""
        return {
            (dim := self.names.index(name)): self.values[dim].index(value)
            for name, value in named.items()
        }

    def _cube(self, rows: Rows) -> Cube:
        return grouped(
            Cube(
                names=self.names,
                values=self.values,
                codes=rows.codes,
                failure=rows.failure,
                n=np.ones(rows.failure.size, dtype=np.int64),
                fingerprints=self.fingerprints,
            )
        )


def fits(codes: Integers, where: Mapping[int, int]) -> Booleans:
    """Rows that fit a predicate."""
    found = np.ones(len(codes), dtype=np.bool_)
    for dim, code in where.items():
        found &= codes[:, dim] == code
    return found
