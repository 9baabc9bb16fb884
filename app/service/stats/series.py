"""Series: the statistics of each hour or day of a window, in one snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.domain.query.match import name_matches
from app.domain.query.query import Query, both, within
from app.domain.window import DAY_US, GRAIN_US, HOUR_US, Grain, Span, Window, ceil_to, floor_to
from app.service.core import Core
from app.service.stats import cells, stats_report
from app.service.stats.faults import fault
from app.service.stats.figures import Figures
from app.service.stats.point_shapes import Shaped, by_point, in_points
from app.service.stats.request import MAX_POINTS, Asked, StatsRequest
from app.service.stats.shapes import Missing
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
        days: Days of a point, where it is of days: one, but for windows too long for that.
        missing: Why percentiles of points are missing; empty: they are there.
        missing_in_groups: The same of groups.
    """

    now: int
    request: StatsRequest
    window: Window
    grain: Grain
    days: int
    points: tuple[Point, ...]
    missing: Missing
    missing_in_groups: Missing

    @property
    def step_us(self) -> int:
        """The length of a point (the last one may be shorter)."""
        return GRAIN_US[self.grain] * self.days


def series(core: Core, asked: Asked, grain: Grain | None = None) -> Series:
    """The statistics of each hour or day that a window touches.

    Args:
        core: Where to read.
        asked: What for; a window without a start begins with the first task that ended.
        grain: None: hours up to a window of `HOURLY_DAYS` days, else days; several of them to a
            point where there would be more than `MAX_POINTS`.

    Raises:
        RequestError: It asks for what is not kept, or for too many points.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        return read(conn, asked.at(now), grain, now)


def read(
    conn: Connection,
    request: StatsRequest,
    grain: Grain | None,
    now: int,
    *,
    most: int = MAX_POINTS,
) -> Series:
    """The series of a checked request, in the caller's snapshot, of so many points at most."""
    start, end = _bounds(conn, request.window, now)
    chosen = grain or ("hour" if end - start <= HOURLY_DAYS * DAY_US else "day")
    span = Span(
        grain=chosen,
        start=floor_to(start, GRAIN_US[chosen]),
        end=ceil_to(end, GRAIN_US[chosen]),
    )
    n = (span.end - span.start) // GRAIN_US[chosen]
    if grain is not None:
        _check_count(grain, n)
    days = -(-n // most) if chosen == "day" else 1
    step_us = days * GRAIN_US[chosen]
    starts = range(span.start, span.end, step_us)
    shapes = by_point(conn, request, span, starts)
    found = _cells_by_start(conn, request, span)
    requests = _requests_by_start(conn, request, span)
    maker = Maker(dimensions=request.dimensions, n=0, length_us=step_us, exact=None)
    of_cells = in_points(found, starts)
    of_requests = None if requests is None else in_points(requests, starts)
    points = tuple(
        _point(
            request,
            replace(maker, length_us=min(step_us, span.end - at)),
            at,
            found=of_cells.get(at, []),
            shapes=shapes.get(at, Shaped()),
            requests=None if of_requests is None else of_requests.get(at, []),
        )
        for at in starts
    )
    return Series(
        now=now,
        request=request,
        window=Window(start=span.start, end=span.end),
        grain=chosen,
        days=days,
        points=points,
        missing=sum((one.whole.all_missing for one in shapes.values()), Missing()),
        missing_in_groups=sum(
            (one.told.all_missing for one in shapes.values() if request.by), Missing()
        ),
    )


def _check_count(grain: Grain, n: int) -> None:
    if n > MAX_POINTS:
        advice = "step=day" if grain == "hour" else "leave out step"
        raise fault(reason="points", n=n, most=MAX_POINTS, advice=advice)


def _bounds(conn: Connection, window: Window, now: int) -> tuple[int, int]:
    start, end = window.reach(now)
    if window.start is None:
        start = min(rollups.first_hour(conn) or end - HOUR_US, end - HOUR_US)
    return start, end


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
    shapes: Shaped,
    requests: list[Dispositions] | None,
) -> Point:
    of_values = shapes.told.shapes
    groups = cells.by_value(found, request.dimensions, request.by) if request.by else {}
    return Point(
        start=at,
        figures=maker.figures(found, shapes.whole.shapes),
        groups={
            value: maker.figures(of, {"": of_values[value]} if value in of_values else {})
            for value, of in groups.items()
        },
        requests=None if requests is None else stats_report.savings_of(requests),
        query=both(request.query, Query(terms=(within("ended", at, at + (maker.length_us or 0)),))),
    )
