"""Series: the statistics of each hour or day of a window, in one snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.errors import RequestError
from app.domain.query.match import name_matches
from app.domain.query.query import Query, both, within
from app.domain.window import DAY_US, GRAIN_US, HOUR_US, Grain, Span, Window, ceil_to, floor_to
from app.service.core import Core
from app.service.stats import cells, stats_report
from app.service.stats.figures import Figures
from app.service.stats.request import MAX_POINTS, Asked, StatsRequest
from app.service.stats.shapes import ByValue, Missing, ShapeReader
from app.service.stats.stats_report import Maker, Savings
from app.store import rollups
from app.store.database import Connection
from app.store.rollups import Cell, Dispositions

#: The longest window that is told hour by hour unless days are asked for, in days.
HOURLY_DAYS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One hour or day.

    Attributes:
        start: Its beginning, in microseconds since the epoch.
        figures: Of what ended in it.
        groups: The same by the dimension that was asked for.
        requests: What became of the requests that came in it; None where the filter is by more
            than the engine.
        query: Opens the same tasks in the task list.
    """

    start: int
    figures: Figures
    groups: Mapping[str, Figures]
    requests: Savings | None
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points oldest first, empty ones included.

    Attributes:
        window: From the first point's beginning to the last one's end: whole hours or days.
        missing: Why percentiles of points are missing; empty: they are there.
    """

    now: int
    request: StatsRequest
    window: Window
    grain: Grain
    points: tuple[Point, ...]
    missing: Missing


def series(core: Core, asked: Asked, grain: Grain | None = None) -> Series:
    """The statistics of each hour or day that a window touches.

    Args:
        core: Where to read.
        asked: What for; a window without a start begins with the first task that ended.
        grain: None: hours up to a window of `HOURLY_DAYS` days, else days.

    Raises:
        RequestError: It asks for what is not kept, or for too many points.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        return read(conn, asked.at(now), grain, now)


def read(conn: Connection, request: StatsRequest, grain: Grain | None, now: int) -> Series:
    """The series of a checked request, in the caller's snapshot."""
    start, end = _bounds(conn, request.window, now)
    chosen = grain or ("hour" if end - start <= HOURLY_DAYS * DAY_US else "day")
    span = _span(chosen, start, end)
    reader = ShapeReader(conn, request)
    shapes = reader.of_span(span)
    found = _cells_by_start(conn, request, span)
    requests = _requests_by_start(conn, request, span)
    maker = Maker(dimensions=request.dimensions, n=0, length_us=GRAIN_US[chosen], exact=None)
    points = tuple(
        _point(
            request,
            maker,
            at,
            found=found.get(at, []),
            shapes=shapes.get(at, {}),
            requests=None if requests is None else requests.get(at, []),
        )
        for at in range(span.start, span.end, GRAIN_US[chosen])
    )
    return Series(
        now=now,
        request=request,
        window=Window(start=span.start, end=span.end),
        grain=chosen,
        points=points,
        missing=reader.missing,
    )


def _bounds(conn: Connection, window: Window, now: int) -> tuple[int, int]:
    start, end = window.reach(now)
    if window.start is None:
        start = min(rollups.first_hour(conn) or end - HOUR_US, end - HOUR_US)
    return start, end


def _span(grain: Grain, start: int, end: int) -> Span:
    step = GRAIN_US[grain]
    span = Span(grain=grain, start=floor_to(start, step), end=ceil_to(end, step))
    n = (span.end - span.start) // step
    if n > MAX_POINTS:
        message = (
            f"the series would have {n} points; at most {MAX_POINTS} are allowed: take a shorter"
            " window, or step=day"
        )
        raise RequestError(message)
    return span


def _cells_by_start(conn: Connection, request: StatsRequest, span: Span) -> dict[int, list[Cell]]:
    dimensions = request.dimensions
    read_cells = (
        rollups.of_cube(conn, span, dimensions, by_start=True)
        if dimensions
        else rollups.of_periods(conn, span, by_start=True)
    )
    fits = cells.fits(request.query, dimensions)
    found: dict[int, list[Cell]] = {}
    for cell in read_cells:
        if cell.start is not None and cell.sums.n and fits(cell):
            found.setdefault(cell.start, []).append(cell)
    return found


def _requests_by_start(
    conn: Connection, request: StatsRequest, span: Span
) -> dict[int, list[Dispositions]] | None:
    terms = request.query.terms
    if any(term.name != "engine" for term in terms):
        return None
    found: dict[int, list[Dispositions]] = {}
    for one in rollups.of_submissions(conn, span, by_start=True):
        if one.start is not None and all(name_matches(term, one.engine) for term in terms):
            found.setdefault(one.start, []).append(one)
    return found


def _point(
    request: StatsRequest,
    maker: Maker,
    at: int,
    *,
    found: list[Cell],
    shapes: ByValue,
    requests: list[Dispositions] | None,
) -> Point:
    groups = cells.by_value(found, request.dimensions, request.by) if request.by else {}
    return Point(
        start=at,
        figures=maker.figures(found, stats_report.all_together(shapes)),
        groups={
            value: maker.figures(of, {"": shapes[value]} if value in shapes else {})
            for value, of in groups.items()
        },
        requests=None if requests is None else stats_report.savings_of(requests),
        query=both(request.query, Query(terms=(within("ended", at, at + (maker.length_us or 0)),))),
    )
