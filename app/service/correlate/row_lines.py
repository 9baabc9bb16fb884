"""Lines of attempts out of their rows, for selections and filters that the cube does not know."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from app.domain.correlation.dimensions import DIMENSIONS, ROW_DIMENSIONS
from app.domain.window import DAY_US
from app.service.correlate.cubes import Lines, together
from app.store import attempt_filter
from app.store.attempt_filter import RowCell, Sides
from app.store.database import Connection

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Longest stretch of which rows are grouped by one statement.
_SLICE_US: Final = 2 * DAY_US


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLines:
    """Lines of a stretch, and the attempts that were left out as repeats."""

    lines: Lines
    repeats: int


class RowReader:
    """Reads stretches of rows into lines with the same codes.

    Args:
        conn: Where to read.
        sides: Which attempts, and which of them are selected, whenever they ended.
        with_hour: Whether the hour of the day is a dimension, the last one.
    """

    def __init__(self, conn: Connection, sides: Sides, *, with_hour: bool) -> None:
        self._conn, self._sides, self._with_hour = conn, sides, with_hour
        names = ROW_DIMENSIONS if with_hour else DIMENSIONS
        self._places: list[dict[str, int]] = [{} for _ in (*names, "failure")]

    @property
    def texts(self) -> list[list[str]]:
        """What codes stand for: of each dimension, then of failures."""
        return [list(known) for known in self._places]

    def read(self, start: int, end: int, tell: Callable[[int, int], None]) -> RowLines:
        """The lines of attempts that ended from the one moment on and before the other.

        Args:
            start: Microseconds since the epoch.
            end: The same.
            tell: Told how many of the slices are read, of how many.
        """
        begins = range(start, end, _SLICE_US)
        lines, repeats = [self._lines(())], 0
        for done, begin in enumerate(begins, start=1):
            cells = self._cells(begin, min(begin + _SLICE_US, end))
            lines.append(self._lines(cells))
            repeats += sum(cell.repeats for cell in cells)
            tell(done, len(begins))
        return RowLines(lines=together(lines), repeats=repeats)

    def _cells(self, start: int, end: int) -> list[RowCell]:
        sides = replace(self._sides, start=start, end=end)
        return attempt_filter.cells_of_rows(self._conn, sides, with_hour=self._with_hour)

    def _lines(self, cells: Iterable[RowCell]) -> Lines:
        codes: list[Sequence[int]] = []
        failure: list[int] = []
        counts: list[int] = []
        for cell in cells:
            values = [self._code(place, text) for place, text in enumerate(cell.values)]
            failed = self._code(-1, cell.failure or "")
            for n, how in ((cell.selected, failed), (cell.others, -1)):
                if n:
                    codes.append(values)
                    failure.append(how)
                    counts.append(n)
        width = len(self._places) - 1
        return Lines(
            codes=np.array(codes, np.int64).reshape(len(counts), width),
            failure=np.array(failure, np.int64),
            n=np.array(counts, np.int64),
        )

    def _code(self, place: int, text: str) -> int:
        known = self._places[place]
        return known.setdefault(text, len(known))
