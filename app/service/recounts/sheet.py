"""Sheets: cells with sums by row and by column, and which of the three is wrong where they differ.

What retention removed is in no row of a task, but is counted several times: by hour and day, told
apart and together. Of two that say the same and one that does not, the one is mended.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from app.domain.drift import Key, Values

K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Counters that must add up.

    Attributes:
        inner: By the moment at which an hour (a day) begins, and by what else tells apart.
        rows: What must be the sum of each moment; None: nothing says.
        columns: What must be the sum of each other key.
    """

    inner: Mapping[tuple[int, Key], Values]
    rows: Mapping[int, Values] | None
    columns: Mapping[Key, Values]


def plus(one: Values, other: Values) -> Values:
    """Each sum added to its like; one that is not there is zero."""
    if not one or not other:
        return one or other
    return tuple(a + b for a, b in zip(one, other, strict=True))


def minus(one: Values, other: Values) -> Values:
    """The difference of each sum."""
    return plus(one, tuple(-value for value in other))


def total(values: Iterable[Values]) -> Values:
    """All added up; empty where there are none, or where they are nothing."""
    found: Values = ()
    for one in values:
        found = plus(found, one)
    return found if any(found) else ()


def by(
    cells: Mapping[tuple[int, Key], Values], key: Callable[[tuple[int, Key]], K]
) -> dict[K, Values]:
    """Cells added up by a part of their keys."""
    found: dict[K, Values] = {}
    for one, values in cells.items():
        found[key(one)] = plus(found.get(key(one), ()), values)
    return found


def row_sums(sheet: Sheet) -> dict[int, Values]:
    """What its cells add up to by moments."""
    return by(sheet.inner, lambda one: one[0])


def column_sums(sheet: Sheet) -> dict[Key, Values]:
    """What its cells add up to by the other keys."""
    return by(sheet.inner, lambda one: one[1])


def apart(one: Mapping[K, Values], other: Mapping[K, Values]) -> dict[K, Values]:
    """Where the first says something else than the second, and by how much."""
    keys = one.keys() | other.keys()
    found = {key: minus(one.get(key, ()), other.get(key, ())) for key in keys}
    return {key: values for key, values in found.items() if any(values)}


def settle(sheet: Sheet, above: Callable[[Key, Values], bool | None]) -> Sheet | None:
    """The sheet as it must be; None where nobody can tell.

    Args:
        sheet: What is counted.
        above: What others say of a column: True: it is right; False: it would be right if the
            difference to the cells were taken from it; None: neither.
    """
    columns_off = apart(sheet.columns, column_sums(sheet))
    rows_off = {} if sheet.rows is None else apart(sheet.rows, row_sums(sheet))
    if not columns_off:
        return _by_cells(sheet)
    told = {above(key, values) for key, values in columns_off.items()}
    if not rows_off and True not in told and (sheet.rows is not None or told == {False}):
        return _by_cells(sheet)
    if told == {False} and _fits(sheet):
        return _by_cells(sheet)
    found = _placed(sheet, columns_off, rows_off, is_sure=told == {True})
    return None if found is None else _by_cells(found)


def _by_cells(sheet: Sheet) -> Sheet:
    """With the sums that its cells make."""
    rows = None if sheet.rows is None else row_sums(sheet)
    return replace(sheet, rows=rows, columns=column_sums(sheet))


def _placed(
    sheet: Sheet,
    columns_off: Mapping[Key, Values],
    rows_off: Mapping[int, Values],
    *,
    is_sure: bool,
) -> Sheet | None:
    """With what its cells lack, where only one place is possible."""
    is_same = total(columns_off.values()) == total(rows_off.values())
    if rows_off and is_same and len(rows_off) == 1:
        (start,) = rows_off
        return _added(sheet, {(start, key): values for key, values in columns_off.items()})
    if rows_off and is_same and len(columns_off) == 1:
        (key,) = columns_off
        return _added(sheet, {(start, key): values for start, values in rows_off.items()})
    places = {key: _starts(sheet, key) for key in columns_off}
    if not is_sure or any(len(found) != 1 for found in places.values()):
        return None
    found = _added(sheet, {(places[key][0], key): one for key, one in columns_off.items()})
    return found if _fits(found) else None


def _starts(sheet: Sheet, key: Key) -> list[int]:
    return [start for (start, one), values in sheet.inner.items() if one == key and any(values)]


def _fits(sheet: Sheet) -> bool:
    """Whether the sums by moments are those of the cells, or were lost."""
    rows = sheet.rows or {}
    wrong = apart(rows, row_sums(sheet)) if sheet.rows is not None else {}
    return not any(any(rows.get(start, ())) for start in wrong)


def _added(sheet: Sheet, more: Mapping[tuple[int, Key], Values]) -> Sheet:
    inner = dict(sheet.inner)
    for key, values in more.items():
        inner[key] = plus(inner.get(key, ()), values)
    return replace(sheet, inner=inner)
