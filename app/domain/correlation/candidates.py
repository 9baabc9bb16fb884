"""Predicates that failures have in common: what may become a finding."""

from dataclasses import dataclass

import numpy as np

from app.domain.correlation.cells import Columns, by_value, sums
from app.domain.correlation.cube import Cube, Integers
from app.domain.correlation.dependencies import Dims, Space
from app.domain.correlation.outcomes import Outcomes
from app.domain.correlation.predicates import Predicate


@dataclass(frozen=True, slots=True)
class Part:
    """Candidates of one combination of dimensions.

    Attributes:
        dims: The dimensions.
        keys: Which values, as `Columns.key` numbers them; sorted within an outcome.
        outcome: Which outcome the failures of each are.
    """

    dims: Dims
    keys: Integers
    outcome: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Predicates with failures enough, each with one outcome; arrays have one length.

    Attributes:
        parts: By combination, in the order of the arrays.
        known: By dimension, the values that are told apart.
        columns: The codes of the window that keys are made of: known values only.
        dims: Shape (candidates, 3): dimensions, -1 where there are fewer.
        codes: Shape (candidates, 3): the value of each; 0 where there is none.
        size: How many dimensions.
        outcome: Which outcome its failures are.
    """

    parts: tuple[Part, ...]
    known: tuple[Integers, ...]
    columns: Columns
    dims: Integers
    codes: Integers
    size: Integers
    outcome: Integers


def candidates(
    window: Cube, space: Space, outcomes: Outcomes, *, min_failures: int
) -> Candidates | None:
    """All predicates of the space with failures enough; None where there are none.

    What fails often has values that fail often: other values are told apart no more, which makes
    the tables small.
    """
    known = frequent_values(window, min_failures)
    columns = recoded(window, known)
    weights = window.n.astype(np.float64)
    cells, outcome = outcomes.failures(window)
    parts: list[Part] = []
    for dims in space.combinations:
        if not all(known[dim].size for dim in dims):
            continue
        size = columns.size(dims)
        failing = outcome * size + columns.key(dims)[cells]
        keys, o = sums(failing, weights[cells], size * outcomes.count)
        of, keys = np.divmod(keys[o >= min_failures], size)
        named = (columns.members(keys, dims) > 0).all(axis=1)
        if named.any():
            parts.append(Part(dims, keys[named], of[named]))
    return _joined(parts, columns, known) if parts else None


def predicate_at(found: Candidates, place: int) -> Predicate:
    """A candidate as a predicate."""
    size = int(found.size[place])
    dims, codes = found.dims[place, :size], found.codes[place, :size]
    return Predicate(tuple(int(dim) for dim in dims), tuple(int(code) for code in codes))


def frequent_values(window: Cube, min_failures: int) -> tuple[Integers, ...]:
    """By dimension, the values that so many failures have."""
    failed = window.failure >= 0
    return tuple(
        np.flatnonzero(by_value(window, dim, failed) >= min_failures)
        for dim in range(len(window.names))
    )


def recoded(cube: Cube, known: tuple[Integers, ...]) -> Columns:
    """Codes from 1 for the known values of each dimension; 0 for every other one."""
    codes = []
    for dim, values in enumerate(cube.values):
        number = np.zeros(len(values), dtype=np.int64)
        number[known[dim]] = np.arange(1, known[dim].size + 1)
        codes.append(number[cube.codes[:, dim]])
    return Columns(tuple(codes), tuple(one.size + 1 for one in known))


def _joined(parts: list[Part], columns: Columns, known: tuple[Integers, ...]) -> Candidates:
    count = sum(part.outcome.size for part in parts)
    dims = np.full((count, 3), -1, dtype=np.int64)
    codes = np.zeros((count, 3), dtype=np.int64)
    start = 0
    for part in parts:
        here = slice(start, start + part.outcome.size)
        members = columns.members(part.keys, part.dims)
        for place, dim in enumerate(part.dims):
            dims[here, place] = dim
            codes[here, place] = known[dim][members[:, place] - 1]
        start = here.stop
    return Candidates(
        parts=tuple(parts),
        known=known,
        columns=columns,
        dims=dims,
        codes=codes,
        size=(dims >= 0).sum(axis=1),
        outcome=np.concatenate([part.outcome for part in parts]),
    )
