"""Keys of combinations of dimensions, and sums over cells with the same key."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cube import Cube, Integers

Floats = NDArray[np.float64]
#: Keys up to here are places in a table of their own; more are sorted.
DENSE = 2_000_000
_ALL: Final = slice(None)


@dataclass(frozen=True, slots=True)
class Columns:
    """Codes by dimension, each from 0 and below its cardinality."""

    codes: tuple[Integers, ...]
    cards: tuple[int, ...]

    def key(self, dims: Sequence[int]) -> Integers:
        """One number for each cell, equal where the values of these dimensions are."""
        key = self.codes[dims[0]]
        for dim in dims[1:]:
            key = key * self.cards[dim] + self.codes[dim]
        return key

    def size(self, dims: Sequence[int]) -> int:
        """How many keys there can be."""
        return math.prod(self.cards[dim] for dim in dims)

    def members(self, keys: Integers, dims: Sequence[int]) -> Integers:
        """Shape (keys, dims): the codes that keys were made of."""
        found = np.empty((keys.size, len(dims)), dtype=np.int64)
        for place in range(len(dims) - 1, -1, -1):
            keys, found[:, place] = np.divmod(keys, self.cards[dims[place]])
        return found


def table(keys: Integers, weights: NDArray[Any], size: int) -> Floats:
    """The sum of the weights of each key from 0 to `size`."""
    return np.bincount(keys, weights=weights, minlength=size).astype(np.float64, copy=False)


def by_value(cube: Cube, dim: int, cells: NDArray[np.bool_] | slice = _ALL) -> Floats:
    """The attempts of each value of a dimension: of all cells, or of some."""
    return table(cube.codes[cells, dim], cube.n[cells], len(cube.values[dim]))


def sums(keys: Integers, weights: Floats, size: int) -> tuple[Integers, Floats]:
    """Keys that occur, sorted, and the sum of the weights of each."""
    if size <= max(DENSE, 4 * keys.size) and size <= 16 * keys.size + 65_536:
        counted = table(keys, weights, size)
        found = np.flatnonzero(counted)
        return found, counted[found]
    found, place = np.unique(keys, return_inverse=True)
    return found, table(place, weights, found.size)


def sums_at(wanted: Integers, keys: Integers, weights: Floats, size: int) -> Floats:
    """The sum of the weights of each wanted key."""
    if size <= DENSE:
        return table(keys, weights, size)[wanted]
    sorted_keys, place = np.unique(wanted, return_inverse=True)
    at = np.minimum(np.searchsorted(sorted_keys, keys), sorted_keys.size - 1)
    fits = sorted_keys[at] == keys
    return table(at[fits], weights[fits], sorted_keys.size)[place]
