"""Cells of values turned into cells of codes, the same codes on both sides."""

from collections.abc import Iterable, Sequence

import numpy as np

from app.domain.correlation.cube import Cube, Integers

#: One cell before it is coded: values in the order of the names; None: it did not fail; attempts.
Cell = tuple[Sequence[str], str | None, int]


def encode(
    names: Sequence[str], window_cells: Iterable[Cell], baseline_cells: Iterable[Cell]
) -> tuple[Cube, Cube]:
    """Two cubes that can be compared; the order of cells and of values does not matter.

    Args:
        names: Names of the dimensions, in the order of each cell's values.
        window_cells: What is looked at.
        baseline_cells: What was before.
    """
    window, baseline = list(window_cells), list(baseline_cells)
    both = window + baseline
    columns = [_coded([cell[0][place] for cell in both]) for place in range(len(names))]
    fingerprints, failure = _coded_failures([cell[1] for cell in both])
    codes = np.empty((len(both), len(names)), dtype=np.int64)
    for place, (_, column) in enumerate(columns):
        codes[:, place] = column
    n = np.fromiter((cell[2] for cell in both), dtype=np.int64, count=len(both))
    values = tuple(found for found, _ in columns)
    sides = (slice(0, len(window)), slice(len(window), len(both)))
    first, second = (
        Cube(
            names=tuple(names),
            values=values,
            codes=codes[side],
            failure=failure[side],
            n=n[side],
            fingerprints=fingerprints,
        )
        for side in sides
    )
    return first, second


def _coded(column: list[str]) -> tuple[tuple[str, ...], Integers]:
    """The values in their order, and the place of each in it."""
    values = tuple(sorted(set(column)))
    place = {value: number for number, value in enumerate(values)}
    return values, np.fromiter(map(place.__getitem__, column), dtype=np.int64, count=len(column))


def _coded_failures(column: list[str | None]) -> tuple[tuple[str, ...], Integers]:
    values = tuple(sorted({value for value in column if value is not None}))
    place: dict[str | None, int] = {value: number for number, value in enumerate(values)}
    place[None] = -1
    return values, np.fromiter(map(place.__getitem__, column), dtype=np.int64, count=len(column))
