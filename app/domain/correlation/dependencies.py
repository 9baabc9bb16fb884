"""Which dimensions can be combined, and how many predicates there are to try."""

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.cells import Columns, by_value, sums
from app.domain.correlation.cube import Cube

Dims = tuple[int, ...]

#: Combinations of three dimensions that are looked at, at most; twelve dimensions have 220.
MOST_TRIPLES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What is tried.

    Attributes:
        combinations: Dimensions that are looked at together, the fewest first.
        tried: How many predicates of one, of two and of three dimensions have attempts enough.
        left_out: Dimensions that are not among three at once: there are too many.
    """

    combinations: tuple[Dims, ...]
    tried: tuple[int, ...]
    left_out: tuple[int, ...] = ()


def space_of(window: Cube, *, max_size: int, min_attempts: int) -> Space:
    """Combinations in which no dimension decides another one.

    Where each worker has one host, worker and host together are the worker alone.
    """
    columns = columns_of(window)
    weights = window.n.astype(np.float64)
    count = len(window.names)
    telling, left_out = _telling(window)
    kinds: dict[Dims, int] = {}
    tried = [0.0] * max_size
    combinations: list[Dims] = []
    bound: set[Dims] = set()
    for size in range(1, max_size + 1):
        for dims in itertools.combinations(telling if size > 2 else range(count), size):
            if any(pair in bound for pair in itertools.combinations(dims, 2)):
                continue
            found = sums(columns.key(dims), weights, columns.size(dims))[1]
            kinds[dims] = found.size
            if _is_bound(dims, kinds):
                bound.update(_pairs_with(dims[0], count) if size == 1 else [dims])
                continue
            combinations.append(dims)
            tried[size - 1] += int((found >= min_attempts).sum())
    if left_out:
        tried[2:] = [one * math.comb(count, 3) / math.comb(len(telling), 3) for one in tried[2:]]
    return Space(
        combinations=tuple(combinations),
        tried=tuple(round(one) for one in tried),
        left_out=left_out,
    )


def columns_of(cube: Cube) -> Columns:
    """The codes of a cube, by dimension."""
    codes = tuple(np.ascontiguousarray(cube.codes[:, place]) for place in range(len(cube.names)))
    return Columns(codes, tuple(len(values) for values in cube.values))


def _telling(window: Cube) -> tuple[Dims, Dims]:
    """Dimensions that are looked at three at once, and those that are not.

    Of very many, those by a value of which failures differ most.
    """
    dims = tuple(range(len(window.names)))
    most = max(k for k in range(3, 65) if math.comb(k, 3) <= MOST_TRIPLES)
    if len(dims) <= most:
        return dims, ()
    ranked = sorted(dims, key=lambda dim: (-_difference(window, dim), dim))
    return tuple(sorted(ranked[:most])), tuple(sorted(ranked[most:]))


def _difference(window: Cube, dim: int) -> float:
    """The most that a value's failures are above the mean, in standard deviations."""
    n, o = by_value(window, dim), by_value(window, dim, window.failure >= 0)
    expected = n * (o.sum() / max(n.sum(), 1))
    return float(((o - expected) / np.sqrt(expected + 1)).max(initial=0.0))


def _is_bound(dims: Dims, kinds: dict[Dims, int]) -> bool:
    """Whether a dimension has one value only, or one of two decides the other."""
    if len(dims) == 1:
        return kinds[dims] < 2
    return len(dims) == 2 and kinds[dims] <= max(kinds[dims[:1]], kinds[dims[1:]])


def _pairs_with(dim: int, count: int) -> list[Dims]:
    return [(min(dim, other), max(dim, other)) for other in range(count) if other != dim]
