"""Cells of counters compared with what they must be, and named."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from app.domain.drift import Difference, Key, Values, compare
from app.domain.window import Span
from app.service.recounts import words
from app.store.recount_counters import KEYS, SUMS


def in_span(
    place: str, span: Span, expected: Mapping[Key, Values], got: Mapping[Key, Values]
) -> list[Difference]:
    """Cells of an hour or a day of a table of `BY_TIME`."""
    fixed = {"grain": span.grain, "start": span.start}
    when = words.period(span.grain, span.start)
    return _compared(place, when, fixed, expected, got)


def in_all_time(
    place: str, expected: Mapping[Key, Values], got: Mapping[Key, Values]
) -> list[Difference]:
    """Cells of all time of `stat_cube` or `stat_submission`."""
    return _compared(place, words.ALL_TIME, {"grain": "all", "start": 0}, expected, got)


def timeless(
    place: str, expected: Mapping[Key, Values], got: Mapping[Key, Values]
) -> list[Difference]:
    """Cells of a table that knows no time."""
    return _compared(place, words.ALL_TIME, {}, expected, got)


def below_zero(place: str, when: str, cells: Mapping[Key, Values]) -> list[Difference]:
    """Sums that nobody can count anew, where they are below zero."""
    expected = {key: tuple(max(0, value) for value in values) for key, values in cells.items()}
    return told(place, when, expected, cells)


def told(
    place: str, when: str, expected: Mapping[Key, Values], got: Mapping[Key, Values]
) -> list[Difference]:
    """Cells that are compared, and never mended."""
    return compare(
        place,
        SUMS[place],
        expected=expected,
        got=got,
        words=partial(words.OF_TABLE[place], when),
        cell=lambda _: None,
    )


def added(cells: Mapping[Key, Values], width: int) -> dict[Key, Values]:
    """Cells added up by the first parts of their keys."""
    found: dict[Key, list[int]] = {}
    for key, values in cells.items():
        sums = found.setdefault(key[:width], [0] * len(values))
        for place, value in enumerate(values):
            sums[place] += value
    return {key: tuple(sums) for key, sums in found.items()}


def has_empty(cells: Mapping[Key, Values]) -> bool:
    """Whether a cell says nothing any more."""
    return any(not any(values) for values in cells.values())


def removed(cells: Mapping[Key, Values]) -> dict[Key, Values]:
    """Those of what was removed: a ledger, which no rows are left for."""
    return {key: values for key, values in cells.items() if key[0]}


def _compared(
    place: str,
    when: str,
    fixed: Mapping[str, Any],
    expected: Mapping[Key, Values],
    got: Mapping[Key, Values],
) -> list[Difference]:
    return compare(
        place,
        SUMS[place],
        expected=expected,
        got=got,
        words=partial(words.OF_TABLE[place], when),
        cell=partial(_cell, place, fixed),
    )


def _cell(place: str, fixed: Mapping[str, Any], key: Key) -> Mapping[str, Any] | None:
    """The columns of a cell's key; None of what is archived, which is never counted anew."""
    columns = dict(zip(KEYS[place], key, strict=True))
    return None if columns.get("archived") else {**fixed, **columns}
