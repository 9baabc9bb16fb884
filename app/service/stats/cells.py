"""The cells of a request: sums by status, out of rollups and rows, of one snapshot."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.domain.query.match import name_matches
from app.domain.query.query import Query
from app.domain.sums import Sums
from app.domain.window import HOUR_US, Window, ceil_to, floor_to
from app.service.stats.request import StatsRequest
from app.store import rollups, totals
from app.store.all_time import AllTime
from app.store.database import Connection
from app.store.rollups import Cell
from app.store.totals import Total


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Cells that fit a request.

    Attributes:
        window: What they are of: wider than asked for where retention took rows of an hour at an
            end of it, so that only the whole hour can be told.
        is_whole_hours: Whether it is wider.
        all_time: What they are from, where it is what is kept of all time.
    """

    window: Window
    is_whole_hours: bool
    cells: tuple[Cell, ...]
    dimensions: tuple[str, ...]
    all_time: AllTime | None = None

    @property
    def archived(self) -> int:
        """Tasks of these that retention removed: no list has them."""
        return sum(cell.sums.n for cell in self.cells if cell.is_archived)


def collect(
    conn: Connection, request: StatsRequest, now: int, all_time: AllTime | None
) -> Collected:
    """The cells of a request; what they cost depends on the window's hours, not on its tasks.

    Args:
        conn: Where to read.
        request: Which tasks.
        now: The present moment.
        all_time: What is kept of all time, where that answers the request.
    """
    window, is_wider = told_window(conn, request.window, now)
    dimensions = request.dimensions
    if all_time:
        found = _of_totals(all_time.totals)
    elif window.is_all:
        found = [*rollups.of_cube(conn, None, dimensions), *rollups.of_live_rows(conn, dimensions)]
    else:
        found = _of_window(conn, window, dimensions, now)
    is_asked = fits(request.query, dimensions)
    return Collected(
        window=window,
        is_whole_hours=is_wider,
        cells=tuple(cell for cell in found if cell.sums.n and is_asked(cell)),
        dimensions=dimensions,
        all_time=all_time,
    )


def told_window(conn: Connection, window: Window, now: int) -> tuple[Window, bool]:
    """The window that can be told, and whether it is wider: whole hours where rows are gone."""
    if window.is_all:
        return window, False
    start, end = window.start, window.end
    ragged = [at for at in (start, end) if at is not None and at % HOUR_US and at < now]
    gone = rollups.archived_hours(conn, {floor_to(at, HOUR_US) for at in ragged})
    if start is not None and floor_to(start, HOUR_US) in gone:
        start = floor_to(start, HOUR_US)
    if end is not None and floor_to(end, HOUR_US) in gone:
        end = ceil_to(end, HOUR_US)
    return Window(start=start, end=end), (start, end) != (window.start, window.end)


def _of_totals(found: Iterable[Total]) -> list[Cell]:
    return [
        Cell(values=(), status=one.status, is_archived=one.is_archived, sums=one.sums)
        for one in found
    ]


def _of_window(conn: Connection, window: Window, dimensions: Sequence[str], now: int) -> list[Cell]:
    pieces = window.pieces(now)
    found: list[Cell] = []
    for span in pieces.spans:
        found += (
            rollups.of_cube(conn, span, dimensions)
            if dimensions
            else rollups.of_periods(conn, span)
        )
    for start, end in pieces.ragged:
        found += rollups.of_ended_rows(conn, start, end, dimensions)
    if window.end is None:
        found += live(conn, dimensions)
    return found


def live(conn: Connection, dimensions: Sequence[str]) -> list[Cell]:
    """What waits or runs now."""
    if dimensions:
        return rollups.of_live_rows(conn, dimensions)
    found = _of_totals(totals.of_tasks(conn))
    return [cell for cell in found if cell.status in {"pending", "processing"}]


def fits(query: Query, dimensions: Sequence[str]) -> Callable[[Cell], bool]:
    """Whether a cell is of tasks that the filter holds for."""
    places = {name: place for place, name in enumerate(dimensions)}

    def is_asked(cell: Cell) -> bool:
        return all(
            name_matches(
                term,
                cell.status if term.name == "status" else cell.values[places[term.name]],
            )
            for term in query.terms
        )

    return is_asked


def by_status(cells: Iterable[Cell]) -> dict[str, Sums]:
    """The cells added up for each status."""
    found: dict[str, Sums] = {}
    for cell in cells:
        found[cell.status] = found.get(cell.status, Sums()) + cell.sums
    return found


def by_value(
    found: Iterable[Cell], dimensions: Sequence[str], dimension: str
) -> dict[str, list[Cell]]:
    """The cells of each value of a dimension."""
    place = dimensions.index(dimension)
    by: dict[str, list[Cell]] = {}
    for cell in found:
        by.setdefault(cell.values[place], []).append(cell)
    return by
