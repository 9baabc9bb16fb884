"""Which dimensions can be combined, and how many predicates there are to try."""

import itertools
from dataclasses import dataclass

import numpy as np

from app.domain.correlation.cells import Columns, Floats, sums
from app.domain.correlation.cube import Cube

Dims = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What is tried.

    Attributes:
        combinations: Dimensions that are looked at together, the fewest first.
        tried: How many predicates of one, of two and of three dimensions have attempts enough.
    """

    combinations: tuple[Dims, ...]
    tried: tuple[int, ...]


def space_of(window: Cube, *, max_size: int, min_attempts: int) -> Space:
    """Combinations in which no dimension decides another one.

    Where each worker has one host, worker and host together are the worker alone.
    """
    columns = columns_of(window)
    weights = window.n.astype(np.float64)
    kinds: dict[Dims, int] = {}
    tried = [0] * max_size
    combinations: list[Dims] = []
    bound: set[Dims] = set()
    for size in range(1, max_size + 1):
        for dims in itertools.combinations(range(len(window.names)), size):
            if any(pair in bound for pair in itertools.combinations(dims, 2)):
                continue
            found = _counts(columns, dims, weights)
            kinds[dims] = found.size
            if size == 1 and found.size < 2:
                bound.update(_pairs_with(dims[0], len(window.names)))
                continue
            if size == 2 and found.size <= max(kinds[dims[:1]], kinds[dims[1:]]):
                bound.add(dims)
                continue
            combinations.append(dims)
            tried[size - 1] += int((found >= min_attempts).sum())
    return Space(combinations=tuple(combinations), tried=tuple(tried))


def columns_of(cube: Cube) -> Columns:
    """The codes of a cube, by dimension."""
    codes = tuple(np.ascontiguousarray(cube.codes[:, place]) for place in range(len(cube.names)))
    return Columns(codes, tuple(len(values) for values in cube.values))


def _counts(columns: Columns, dims: Dims, weights: Floats) -> Floats:
    return sums(columns.key(dims), weights, columns.size(dims))[1]


def _pairs_with(dim: int, count: int) -> list[Dims]:
    return [(min(dim, other), max(dim, other)) for other in range(count) if other != dim]
