"""Predicates on a cube: which cells fit, and which other predicates have the same attempts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cells import sums, sums_at
from app.domain.correlation.cube import Cube
from app.domain.correlation.dependencies import Space, columns_of

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, order=True)
class Predicate:
    """Dimensions and the code of the value of each, in the order of the dimensions."""

    dims: tuple[int, ...]
    codes: tuple[int, ...]

    def where(self, cube: Cube) -> dict[str, str]:
        """In names and values."""
        return {
            cube.names[dim]: cube.values[dim][code]
            for dim, code in zip(self.dims, self.codes, strict=True)
        }

    def fits(self, cube: Cube) -> Booleans:
        """Which cells are of it."""
        found = np.ones(cube.n.size, dtype=np.bool_)
        for dim, code in zip(self.dims, self.codes, strict=True):
            found &= cube.codes[:, dim] == code
        return found

    def implies(self, other: "Predicate") -> bool:
        """Whether it says all that the other one says."""
        mine = set(zip(self.dims, self.codes, strict=True))
        return mine >= set(zip(other.dims, other.codes, strict=True))


def alike(cube: Cube, space: Space, one: Predicate, *, same_rows: float) -> list[Predicate]:
    """Every predicate with nearly the same attempts, itself too, the likest of each size first."""
    columns = columns_of(cube)
    inside = np.flatnonzero(one.fits(cube))
    weights = cube.n.astype(np.float64)
    own = float(weights[inside].sum())
    found: list[tuple[int, float, Predicate]] = []
    for dims in space.combinations:
        key = columns.key(dims)
        size = columns.size(dims)
        keys, common = sums(key[inside], weights[inside], size)
        enough = common >= same_rows * own
        if not enough.any():
            continue
        keys, common = keys[enough], common[enough]
        union = own + sums_at(keys, key, weights, size) - common
        for members, ratio in zip(columns.members(keys, dims), common / union, strict=True):
            if ratio >= same_rows:
                codes = tuple(int(code) for code in members)
                found.append((len(dims), -float(ratio), Predicate(dims, codes)))
    return [predicate for _, _, predicate in sorted(found)]


def simplest(found: list[Predicate]) -> list[Predicate]:
    """Those that say no more than another one of them."""
    kept: list[Predicate] = []
    for one in found:
        if not any(one.implies(other) for other in kept):
            kept.append(one)
    return kept
