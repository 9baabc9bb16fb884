"""Kept histograms of hours and days: which of them answer a request, and which are believed."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from app.domain.histogram import Histogram, is_of, readable
from app.domain.window import Span
from app.store import latencies
from app.store.database import Connection
from app.store.latencies import Counted

if TYPE_CHECKING:
    from app.store.latencies import Packed

#: Completed tasks by the values of a request's dimensions.
Cells = Mapping[tuple[str, ...], Counted]


class Kept:
    """The histograms that are kept of the hours or days of a span, read once for a dimension."""

    def __init__(self, conn: Connection, span: Span) -> None:
        self._conn = conn
        self._span = span
        self._read: dict[str, dict[int, list[Packed]]] = {}

    def of(
        self, dimension: str, start: int, counted: Mapping[str, int], values: Iterable[str]
    ) -> dict[str, Mapping[str, Histogram]] | None:
        """Those of some values of a dimension; None where they are not of as many tasks.

        Args:
            dimension: Which one; "" is all tasks.
            start: Where the hour or day begins.
            counted: Completed tasks of every value, by the counters.
            values: Those to tell.
        """
        if dimension not in self._read:
            by_start: dict[int, list[Packed]] = {}
            for one in latencies.packed(self._conn, self._span, dimension):
                by_start.setdefault(one.start, []).append(one)
            self._read[dimension] = by_start
        found = {one.value: one for one in self._read[dimension].get(start, []) if one.n}
        if {value: one.n for value, one in found.items()} != counted:
            return None
        opened: dict[str, Mapping[str, Histogram]] = {}
        for value in values:
            shapes = readable(found[value].buckets)
            if shapes is None or not is_of(shapes, found[value].n):
                return None  # damaged: nobody believes it
            opened[value] = shapes
        return opened


def told_by(
    place: int, cells: Cells, asked: Mapping[tuple[str, ...], str]
) -> dict[str, str] | None:
    """What each value of the dimension at a place counts for, where no value is of two kinds.

    Args:
        place: The dimension's place among the values.
        cells: All completed tasks.
        asked: Those that the filter holds for: the value that tells them apart.

    Returns:
        By the values of which all tasks are asked for, and are not told apart; None where of some
        value only a part is, or parts of it are told apart.
    """
    kinds: dict[str, set[str | None]] = {}
    for values in cells:
        kinds.setdefault(_at(place, values), set()).add(asked.get(values))
    if any(len(found) > 1 for found in kinds.values()):
        return None
    return {value: key for value, (key,) in kinds.items() if key is not None}


def by_value(place: int, cells: Cells) -> dict[str, int]:
    """How many there are of each value of the dimension at a place."""
    sums: dict[str, int] = {}
    for values, counted in cells.items():
        value = _at(place, values)
        sums[value] = sums.get(value, 0) + counted.n
    return sums


def _at(place: int, values: tuple[str, ...]) -> str:
    return values[place] if values else ""
