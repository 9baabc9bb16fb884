"""Cells of attempts: how many there were with the same values and the same outcome."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cube:
    """Attempts of a stretch of time, counted by their values and their outcome.

    Two cubes that are compared (a window and its baseline) share `names`, `values` and
    `fingerprints`, so that a code means the same in both.

    Attributes:
        names: Names of the dimensions, such as `worker`.
        values: Of each dimension, the values that its codes stand for.
        codes: Shape (cells, dimensions): places in `values`.
        failure: Shape (cells,): -1 for attempts that did not fail, else a place in `fingerprints`.
        n: Shape (cells,): attempts of the cell, at least 1.
        fingerprints: What failures may have as their fingerprint; "" is "it has none".
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: Integers
    failure: Integers
    n: Integers
    fingerprints: tuple[str, ...]

    @property
    def total(self) -> int:
        """All attempts."""
        return int(self.n.sum())

    @property
    def failed(self) -> int:
        """Those that failed."""
        return int(self.n[self.failure >= 0].sum())

    def only(self, cells: NDArray[np.bool_]) -> "Cube":
        """The cells of a mask, in the same names, values and fingerprints."""
        return replace(self, codes=self.codes[cells], failure=self.failure[cells], n=self.n[cells])
