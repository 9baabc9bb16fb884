"""Predicates that failures have in common, counted on both sides."""

from dataclasses import dataclass

import numpy as np

from app.domain.correlation.cells import Columns, Floats, sums, sums_at, table
from app.domain.correlation.cube import Cube, Integers
from app.domain.correlation.dependencies import Dims, Space
from app.domain.correlation.outcomes import Outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Predicates with failures enough, each with one outcome; all arrays have one length.

    Attributes:
        dims: Shape (candidates, 3): dimensions, -1 where there are fewer.
        codes: Shape (candidates, 3): the value of each; 0 where there is none.
        single: Shape (candidates, 3): the candidate that is this dimension's value alone, with the
            same outcome; -1 where there is none.
        size: How many dimensions.
        outcome: Which outcome its failures are.
        n, o: Attempts and failures of the window that fit.
        nb, ob: Those of the baseline.
        total_n, total_o, total_nb, total_ob: Those of everything, with the same outcome.
    """

    dims: Integers
    codes: Integers
    single: Integers
    size: Integers
    outcome: Integers
    n: Floats
    o: Floats
    nb: Floats
    ob: Floats
    total_n: float
    total_o: Floats
    total_nb: float
    total_ob: Floats


@dataclass(frozen=True, slots=True)
class _Side:
    """One cube, with codes of frequent values only, and its failures."""

    columns: Columns
    n: Floats
    failing: Integers
    outcome: Integers


@dataclass(frozen=True, slots=True)
class _Part:
    """Candidates of one combination of dimensions."""

    dims: Dims
    members: Integers
    outcome: Integers
    counts: tuple[Floats, Floats, Floats, Floats]


def candidates(
    window: Cube, baseline: Cube, space: Space, outcomes: Outcomes, *, min_failures: int
) -> Candidates | None:
    """All predicates of the space with failures enough; None where there are none.

    What fails often has values that fail often: other values are told apart no more, which makes
    the tables small.
    """
    first, second, known = _sides(window, baseline, outcomes, min_failures)
    parts = []
    for dims in space.combinations:
        if all(known[dim].size for dim in dims):
            part = _part(first, second, dims, outcomes.count, min_failures)
            if part is not None:
                parts.append(part)
    if not parts:
        return None
    totals = [table(side.outcome, side.n[side.failing], outcomes.count) for side in (first, second)]
    return _joined(parts, known, first, second, totals)


def _sides(
    window: Cube, baseline: Cube, outcomes: Outcomes, min_failures: int
) -> tuple[_Side, _Side, list[Integers]]:
    """Both cubes coded by frequent values: 1 and up; 0 is every other value."""
    known: list[Integers] = []
    codes: tuple[list[Integers], list[Integers]] = ([], [])
    failed = window.failure >= 0
    for place, values in enumerate(window.values):
        seen = np.bincount(
            window.codes[failed, place], weights=window.n[failed], minlength=len(values)
        )
        frequent = np.flatnonzero(seen >= min_failures)
        number = np.zeros(len(values), dtype=np.int64)
        number[frequent] = np.arange(1, frequent.size + 1)
        known.append(frequent)
        for cube, column in zip((window, baseline), codes, strict=True):
            column.append(number[cube.codes[:, place]])
    cards = tuple(one.size + 1 for one in known)
    sides = []
    for cube, column in zip((window, baseline), codes, strict=True):
        cells, outcome = outcomes.failures(cube)
        sides.append(
            _Side(Columns(tuple(column), cards), cube.n.astype(np.float64), cells, outcome)
        )
    return sides[0], sides[1], known


def _part(
    window: _Side, baseline: _Side, dims: Dims, outcome_count: int, min_failures: int
) -> _Part | None:
    size = window.columns.size(dims)
    key = window.columns.key(dims)
    failing = window.outcome * size + key[window.failing]
    found, o = sums(failing, window.n[window.failing], size * outcome_count)
    enough = o >= min_failures
    outcome, keys = np.divmod(found[enough], size)
    members = window.columns.members(keys, dims)
    known = (members > 0).all(axis=1)
    if not known.any():
        return None
    outcome, keys, members, o = outcome[known], keys[known], members[known], o[enough][known]
    before = baseline.columns.key(dims)
    failed_before = baseline.outcome * size + before[baseline.failing]
    n = sums_at(keys, key, window.n, size)
    nb = sums_at(keys, before, baseline.n, size)
    ob = sums_at(
        outcome * size + keys, failed_before, baseline.n[baseline.failing], size * outcome_count
    )
    return _Part(dims, members, outcome, (n, o, nb, ob))


def _joined(
    parts: list[_Part],
    known: list[Integers],
    window: _Side,
    baseline: _Side,
    totals: list[Floats],
) -> Candidates:
    count = sum(part.outcome.size for part in parts)
    dims = np.full((count, 3), -1, dtype=np.int64)
    codes = np.zeros((count, 3), dtype=np.int64)
    single = np.full((count, 3), -1, dtype=np.int64)
    singles = [np.full((totals[0].size, one.size + 1), -1, dtype=np.int64) for one in known]
    start = 0
    for part in parts:
        here = slice(start, start + part.outcome.size)
        for place, dim in enumerate(part.dims):
            if len(part.dims) == 1:
                singles[dim][part.outcome, part.members[:, 0]] = np.arange(here.start, here.stop)
            dims[here, place] = dim
            codes[here, place] = known[dim][part.members[:, place] - 1]
            single[here, place] = singles[dim][part.outcome, part.members[:, place]]
        start = here.stop
    n, o, nb, ob = (np.concatenate([part.counts[side] for part in parts]) for side in range(4))
    outcome = np.concatenate([part.outcome for part in parts])
    return Candidates(
        dims=dims,
        codes=codes,
        single=single,
        size=(dims >= 0).sum(axis=1),
        outcome=outcome,
        n=n,
        o=o,
        nb=nb,
        ob=ob,
        total_n=float(window.n.sum()),
        total_o=totals[0][outcome],
        total_nb=float(baseline.n.sum()),
        total_ob=totals[1][outcome],
    )
