"""Failures added up by group: how many, in which parts of the window, with which values."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.dimensions import DIMENSIONS
from app.service.correlate.profiles import Coded
from app.service.failures.views import Counts, Part
from app.store.failure_cells import Cells
from app.store.failure_counts import Bins, FailedRow, Told

Integers = NDArray[np.int64]


@dataclass(slots=True, kw_only=True)
class Sums:
    """Failures of one group.

    Attributes:
        bins: Those in each part of the window.
        repeats: Those of texts that had failed so before.
        parts: dimension -> value -> failures.
    """

    bins: list[int]
    count: int = 0
    repeats: int = 0
    parts: dict[str, Counter[str]] = field(default_factory=dict)


def none(names: Sequence[str], bin_count: int) -> Sums:
    """Those of a group that did not fail in the window."""
    return Sums(bins=[0] * bin_count, parts={name: Counter() for name in names})


def add_rows(
    groups: dict[str, Sums], rows: Iterable[FailedRow], names: Sequence[str], bin_count: int
) -> None:
    """Adds attempts; those of another bin than there are count in none."""
    for row in rows:
        sums = groups.get(row.fingerprint)
        if sums is None:
            sums = groups[row.fingerprint] = none(names, bin_count)
        sums.count += 1
        sums.repeats += row.is_repeat
        if 0 <= row.at < bin_count:
            sums.bins[row.at] += 1
        for name, value in zip(names, row.values, strict=True):
            sums.parts[name][value] += 1


def of_cube(cells: Cells, coded: Coded, told: Told, bins: Bins, bin_count: int) -> dict[str, Sums]:
    """The sums of each group that has cells; `coded` is what their profiles stand for."""
    kept = _kept(coded, told.where)
    codes, n = coded.codes[kept], cells.n[kept]
    keys, which = _compact(codes[:, -1], coded.texts[-1])
    groups = {key: none(told.names, bin_count) for key in keys}
    shape = (len(keys), bin_count)
    at = (cells.starts[kept] - bins.at) // bins.step_us
    inside = (at >= 0) & (at < bin_count)
    counted = _table(which[inside], at[inside], n[inside], shape).tolist()
    repeated = _table(which, coded.is_repeat[kept].astype(np.int64), n, (len(keys), 2)).tolist()
    for key, own, (first, repeats) in zip(keys, counted, repeated, strict=True):
        groups[key].bins, groups[key].repeats = own, repeats
        groups[key].count = first + repeats
    for name in told.names:
        place = DIMENSIONS.index(name)
        for key, value, count in _parts(codes[:, place], coded.texts[place], which, n, keys):
            groups[key].parts[name][value] = count
    return groups


def _kept(coded: Coded, where: Mapping[str, str]) -> NDArray[np.bool_] | slice:
    """The lines with these values."""
    if not where:
        return slice(None)  # no copy
    kept = np.ones(len(coded.codes), np.bool_)
    for name, value in where.items():
        texts = coded.texts[DIMENSIONS.index(name)]
        code = texts.index(value) if value in texts else -1
        kept &= coded.codes[:, DIMENSIONS.index(name)] == code
    return kept


def _compact(column: Integers, texts: Sequence[str]) -> tuple[list[str], Integers]:
    """The texts that occur, and the place of each line's among them."""
    used = np.flatnonzero(np.bincount(column, minlength=len(texts)))
    places = np.zeros(len(texts), np.int64)
    places[used] = np.arange(len(used))
    return [texts[code] for code in used.tolist()], places[column]


def _parts(
    column: Integers, texts: Sequence[str], which: Integers, n: Integers, keys: Sequence[str]
) -> Iterator[tuple[str, str, int]]:
    """(group, value, failures) of one dimension."""
    values, place = _compact(column, texts)
    table = _table(which, place, n, (len(keys), len(values)))
    for row, at in zip(*np.nonzero(table), strict=True):
        yield keys[row], values[at], int(table[row, at])


def _table(rows: Integers, columns: Integers, n: Integers, shape: tuple[int, int]) -> Integers:
    sums = np.bincount(rows * shape[1] + columns, n, minlength=shape[0] * shape[1])
    return sums.astype(np.int64).reshape(shape)


def counts(sums: Sums) -> Counts:
    """The counts of a group as they are shown."""
    return Counts(
        count=sums.count,
        repeats=sums.repeats,
        bins=tuple(sums.bins),
        trend=trend(sums.bins),
        parts={name: _ranked(one) for name, one in sums.parts.items()},
    )


def trend(bins: Sequence[int]) -> float:
    """The last quarter against the three before it, one failure added on both sides."""
    last = max(1, len(bins) // 4)
    if len(bins) <= last:
        return 1.0
    expected = sum(bins[:-last]) * last / (len(bins) - last)
    return round((sum(bins[-last:]) + 1) / (expected + 1), 3)


def _ranked(counter: Counter[str]) -> tuple[Part, ...]:
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Part(value=value, count=n) for value, n in ranked)
