"""Anybody's rows as cubes: a CSV file with a moment, a verdict, and whatever tells rows apart.

Columns `at` (seconds since the epoch) and `failed` (0 or 1) have to be there, `fingerprint` may be;
all others are dimensions. Values become numbers while the file is read, a block of rows at a time,
so that a million rows take seconds and little more room than their numbers.
"""

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cube import Cube
from app.domain.correlation.grouping import grouped
from app.domain.correlation.row_faults import (
    AT,
    FAILED,
    FINGERPRINT,
    WrongRowsError,
    check_header,
    guarded,
    tell,
)

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

#: Columns that tell rows apart, at most.
MOST_DIMENSIONS: Final = 64
_BLOCK: Final = 20_000
#: A column with more values than this part of the rows names rows, and tells nothing of them.
_MOST_KINDS: Final = 0.5
#: Up to so many values a column is a dimension, however few the rows.
_FEW_KINDS: Final = 20
_VERDICTS: Final = {"0": 0, "1": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of a file, coded.

    Attributes:
        names: The dimensions, as the file has them.
        values: Of each, sorted.
        codes: Shape (rows, dimensions).
        failure: -1, or a place in `fingerprints`.
        at: Seconds since the epoch.
        notes: What was left out, and why.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: Codes
    fingerprints: tuple[str, ...]
    failure: Codes
    at: Floats
    notes: tuple[str, ...]

    def cubes(self, start: float) -> tuple[Cube, Cube]:
        """Rows from this moment on, and those before it."""
        inside = self.at >= start
        return self._cube(inside), self._cube(~inside)

    def fits(self, where: Mapping[str, str]) -> NDArray[np.bool_]:
        """Which rows are of a predicate."""
        found = np.ones(self.at.size, dtype=np.bool_)
        for name, value in where.items():
            dim = self.names.index(name)
            found &= self.codes[:, dim] == self.values[dim].index(value)
        return found

    def is_case(self, fingerprint: str | None) -> NDArray[np.bool_]:
        """Which rows failed, or failed so."""
        if fingerprint is None:
            return self.failure >= 0
        return np.equal(self.failure, self.fingerprints.index(fingerprint))

    def _cube(self, side: NDArray[np.bool_]) -> Cube:
        return grouped(
            Cube(
                names=self.names,
                values=self.values,
                codes=self.codes[side].astype(np.int64),
                failure=self.failure[side].astype(np.int64),
                n=np.ones(int(side.sum()), dtype=np.int64),
                fingerprints=self.fingerprints,
            )
        )


class _Numbers(dict[str, int]):
    """Values to numbers, in the order in which they are met."""

    def __missing__(self, value: str) -> int:
        return self.setdefault(value, len(self))


@dataclass(slots=True)
class _Column:
    """One column while it is read."""

    name: str
    known: _Numbers = field(default_factory=_Numbers)
    blocks: list[Codes] = field(default_factory=list)
    is_dropped: bool = False

    def add(self, values: Iterable[str]) -> None:
        """Codes the next values."""
        if not self.is_dropped:
            self.blocks.append(np.fromiter(map(self.known.__getitem__, values), np.int32))

    def drop_if_it_names(self, rows: int) -> None:
        """Forgets it all where nearly each row has a value of its own."""
        if len(self.known) > max(_FEW_KINDS, _MOST_KINDS * rows):
            self.is_dropped = True
            self.known, self.blocks = _Numbers(), []

    def coded(self) -> tuple[tuple[str, ...], Codes]:
        """The values in their order, and the place of each row's."""
        values = sorted(self.known)
        rank = np.empty(max(len(values), 1), dtype=np.int32)
        rank[[self.known[value] for value in values]] = np.arange(len(values), dtype=np.int32)
        return tuple(values), rank[_whole(self.blocks, np.int32)]


def read(lines: Iterable[str]) -> Rows:
    """Reads a file.

    Args:
        lines: Its lines, as `open(newline="")` gives them.

    Raises:
        WrongRowsError: It is not as it has to be.
    """
    reader = csv.reader(lines, strict=True)
    rows = guarded(reader)
    header = _header(rows, reader)
    columns = [_Column(name) for name in header]
    moments: list[Floats] = []
    verdicts: list[Codes] = []
    seen = 0
    for block, begins in _blocks(rows, reader):
        given = _turned(header, block, begins)
        moments.append(given[0])
        verdicts.append(given[1])
        seen += len(block)
        for column, values in zip(columns, given[2], strict=True):
            if column.name == FINGERPRINT:
                column.add(itertools.compress(values, given[1].tolist()))
            elif column.name not in {AT, FAILED}:
                column.add(values)
                if seen >= 5 * _BLOCK:
                    column.drop_if_it_names(seen)
    return _joined(columns, _whole(moments, np.float64), _whole(verdicts, np.int32))


def _header(rows: Iterator[list[str]], reader: Any) -> list[str]:
    for row in rows:
        if any(cell.strip() for cell in row):
            header = [cell.strip() for cell in row]
            header[0] = header[0].removeprefix("\ufeff")
            check_header(header, reader.line_num)
            return header
    what = f"is empty; wanted are the columns {AT}, {FAILED}, {FINGERPRINT} and any dimensions"
    raise WrongRowsError(1, None, what)


def _blocks(rows: Iterator[list[str]], reader: Any) -> Iterator[tuple[list[list[str]], list[int]]]:
    """Rows that are not empty, and the line on which each begins."""
    end = reader.line_num
    block: list[list[str]] = []
    begins: list[int] = []
    for row in rows:
        if row:
            block.append(row)
            begins.append(end + 1)
        end = reader.line_num
        if len(block) == _BLOCK:
            yield block, begins
            block, begins = [], []
    if block:
        yield block, begins


def _turned(
    header: Sequence[str], block: Sequence[list[str]], begins: Sequence[int]
) -> tuple[Floats, Codes, list[tuple[str, ...]]]:
    """Moments, verdicts, and the values by column."""
    if {len(row) for row in block} != {len(header)}:
        tell(header, block, begins)
    columns = list(zip(*block, strict=True))
    try:
        at = np.fromiter(map(float, columns[header.index(AT)]), np.float64, len(block))
        failed = columns[header.index(FAILED)]
        verdicts = np.fromiter(map(_VERDICTS.__getitem__, map(str.strip, failed)), np.int32)
    except (ValueError, KeyError):
        tell(header, block, begins)
    if not np.isfinite(at).all():
        tell(header, block, begins)
    return at, verdicts, columns


def _joined(columns: list[_Column], at: Floats, failed: Codes) -> Rows:
    by_name = {column.name: column for column in columns}
    kinds = by_name.get(FINGERPRINT)
    failure = np.where(failed == 1, 0, -1).astype(np.int32)
    fingerprints: tuple[str, ...] = ("",)
    if kinds is not None and failed.any():
        fingerprints, failure[failed == 1] = kinds.coded()
    notes = [] if kinds is not None else [f"no column {FINGERPRINT}: failures are all of one kind"]
    dimensions = [one for one in columns if one.name not in {AT, FAILED, FINGERPRINT}]
    for column in dimensions:
        column.drop_if_it_names(at.size)
        if column.is_dropped:
            notes.append(f"column {column.name} left out: nearly each row has a value of its own")
    kept = [one for one in dimensions if not one.is_dropped and len(one.known) > 1]
    if len(kept) > MOST_DIMENSIONS:
        what = f"is one dimension too many: at most {MOST_DIMENSIONS} may tell rows apart"
        raise WrongRowsError(1, kept[MOST_DIMENSIONS].name, f"{what}, got {len(kept)}")
    coded = [column.coded() for column in kept]
    codes = np.empty((at.size, len(kept)), dtype=np.int32)
    for dim, (_, column_codes) in enumerate(coded):
        codes[:, dim] = column_codes
    return Rows(
        names=tuple(column.name for column in kept),
        values=tuple(values for values, _ in coded),
        codes=codes,
        fingerprints=fingerprints,
        failure=failure,
        at=at,
        notes=tuple(notes),
    )


def _whole(blocks: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=kind)
