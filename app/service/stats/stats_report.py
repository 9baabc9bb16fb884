"""The statistics of a request, made in one snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain.histogram import MEASURES, Histogram
from app.domain.query.match import name_matches
from app.domain.query.query import Query, both, within
from app.domain.query.query import named as named_term
from app.domain.sums import Sums
from app.domain.window import HOUR_US, Window, ceil_to, cut, floor_to
from app.service.core import Core
from app.service.recounts import verdict
from app.service.recounts.verdict import Verdict
from app.service.stats import cells
from app.service.stats.cells import Collected
from app.service.stats.exact import ExactReader, Group
from app.service.stats.figures import QUANTILES, Durations, Figures
from app.service.stats.request import Asked, StatsRequest
from app.service.stats.shapes import ByValue, Missing, ShapeReader, Shapes, Told, undivided
from app.store import rollups
from app.store.all_time import AllTime, of_all_time
from app.store.database import Connection
from app.store.rollups import Cell, Dispositions

#: A time of which an hour is below one percent.
_LONG_US: Final = 100 * HOUR_US


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """The figures of the tasks that have one value of a dimension; "" is no value."""

    value: str
    figures: Figures
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Requests: how many, characters of their texts, audio that was there for them."""

    n: int = 0
    char_count: int = 0
    audio_ms: int = 0

    def __add__(self, other: "Requests") -> "Requests":
        return Requests(
            n=self.n + other.n,
            char_count=self.char_count + other.char_count,
            audio_ms=self.audio_ms + other.audio_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What did not have to be spoken again, in the whole hours that the window touches.

    Attributes:
        followed: Requests for what was waiting or running.
        skipped: Requests for what was there.
        new: Requests that became tasks.
    """

    new: Requests
    followed: Requests
    skipped: Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsReport:
    """Statistics of some tasks at one moment.

    Attributes:
        now: The database's time, as every moment in microseconds since the epoch.
        window: What they are of.
        is_whole_hours: Whether it is wider than asked for: rows of its ends were removed.
        archived: Tasks that retention removed: they count, and no list has them.
        query: Opens the same tasks in the task list.
        groups: By the dimension that was asked for, most tasks first.
        savings: None where the filter is by more than the engine.
        missing: Why the percentiles of all of them are missing; empty: they are there.
        missing_in_groups: The same of groups, those of which have none.
        check: Whether counters and rows agree.
    """

    now: int
    request: StatsRequest
    window: Window
    is_whole_hours: bool
    archived: int
    figures: Figures
    query: Query
    groups: tuple[GroupFigures, ...]
    savings: Savings | None
    missing: Missing
    missing_in_groups: Missing
    check: Verdict


def stats(core: Core, asked: Asked) -> StatsReport:
    """The statistics of what is asked for.

    Raises:
        RequestError: It asks for what is not kept, or for too many exact percentiles.
    """
    with core.database.read() as conn:
        # what asks for no moment is told it by the statement that answers: one way less
        all_time = of_all_time(conn) if asked.is_of_totals else None
        now = (all_time and all_time.now) or core.database.now_us(conn)
        return read(conn, asked.at(now), now, all_time)


def read(
    conn: Connection, request: StatsRequest, now: int, all_time: AllTime | None = None
) -> StatsReport:
    """The statistics of a checked request, in the caller's snapshot.

    Args:
        conn: Where to read.
        request: Which tasks.
        now: The present moment.
        all_time: What is kept of all time, where it is read already.
    """
    if request.is_of_totals:
        all_time = all_time or of_all_time(conn)
    collected = cells.collect(conn, request, now, all_time)
    told = ShapeReader(conn, request).of_window(collected.window, now, collected.all_time)
    is_whole = not (request.by and told.missing)
    whole = undivided(told) if is_whole else _of_all(conn, request, collected.window, now)
    maker = Maker(
        dimensions=collected.dimensions,
        n=sum(cell.sums.n for cell in collected.cells),
        length_us=_length_us(conn, collected, now),
        # a removed task has no row to be found
        exact=_exact(conn, collected, now) if request.is_exact and not collected.archived else None,
    )
    query = _opens(request.query, collected.window)
    return StatsReport(
        now=now,
        request=request,
        window=collected.window,
        is_whole_hours=collected.is_whole_hours,
        archived=collected.archived,
        figures=maker.figures(collected.cells, whole.shapes),
        query=query,
        groups=_groups(request, collected, maker, told.shapes, query),
        savings=_savings(conn, request, collected, now),
        missing=whole.all_missing,
        missing_in_groups=told.all_missing if request.by else Missing(),
        check=verdict.verdict(
            conn, now, collected.all_time.summary if collected.all_time else None
        ),
    )


def _of_all(conn: Connection, request: StatsRequest, window: Window, now: int) -> Told:
    """Histograms without the dimension that tells apart: more of them may be kept."""
    whole = replace(request, by=None)
    all_time = of_all_time(conn) if whole.is_of_totals else None
    return ShapeReader(conn, whole).of_window(window, now, all_time)


def _exact(conn: Connection, collected: Collected, now: int) -> ExactReader:
    histograms = (collected.all_time or of_all_time(conn)).histograms
    return ExactReader(conn, collected.window, now, histograms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes figures out of cells and histograms.

    Attributes:
        dimensions: What the values of the cells are of.
        n: Tasks of the window, of whatever status.
        length_us: Length of the window.
        exact: Finds exact percentiles; None: those of the histograms.
    """

    dimensions: Sequence[str]
    n: int
    length_us: int | None
    exact: ExactReader | None

    def figures(self, of: Sequence[Cell], shapes: ByValue) -> Figures:
        """The figures of some cells, and of the histograms of "" in `shapes`."""
        by_status = cells.by_status(of)
        return Figures(
            by_status=by_status,
            durations=self._durations(of, by_status, shapes.get("", {})),
            length_us=self.length_us,
        )

    def _durations(
        self, of: Sequence[Cell], by_status: Mapping[str, Sums], shapes: Shapes
    ) -> dict[str, Durations]:
        done = by_status.get("completed", Sums())
        if not done.n:
            return {}
        group = Group(
            n=self.n,
            only={
                name: sorted({cell.values[place] for cell in of})
                for place, name in enumerate(self.dimensions)
            },
        )
        quantiles = {
            measure: self._quantiles(group, measure, shapes.get(measure, Histogram()))
            for measure in MEASURES
        }
        return {
            measure: Durations(
                n=done.n,
                mean_ms=getattr(done, f"{measure}_ms") / done.n,
                quantiles=found,
                is_exact=self.exact is not None and bool(found),
            )
            for measure, found in quantiles.items()
        }

    def _quantiles(self, group: Group, measure: str, shape: Histogram) -> dict[str, float]:
        ranks = dict(zip(QUANTILES, shape.ranks(list(QUANTILES.values())), strict=False))
        if self.exact is None:
            return {name: rank.estimate_ms for name, rank in ranks.items()}
        found = {name: self.exact.value(group, measure, rank) for name, rank in ranks.items()}
        return {name: value for name, value in found.items() if value is not None}


def _groups(
    request: StatsRequest, collected: Collected, maker: Maker, shapes: ByValue, query: Query
) -> tuple[GroupFigures, ...]:
    if request.by is None:
        return ()
    found = [
        GroupFigures(
            value=value,
            figures=maker.figures(of, {"": shapes[value]} if value in shapes else {}),
            query=both(Query(terms=(named_term(request.by, value),)), query),
        )
        for value, of in cells.by_value(collected.cells, collected.dimensions, request.by).items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.figures.total, one.value)))


def _opens(query: Query, window: Window) -> Query:
    """The filter that opens the same tasks: what lives ends after every moment."""
    if window.is_all:
        return query
    return both(query, Query(terms=(within("ended", window.start or 0, window.end),)))


def _length_us(conn: Connection, collected: Collected, now: int) -> int | None:
    """From the window's start, or when the first task ended, to its end or now."""
    window = collected.window
    start = window.start if window.start is not None else _began(conn, collected, now)
    end = now if window.end is None else min(window.end, now)
    return max(1, end - start) if start is not None else None


def _began(conn: Connection, collected: Collected, now: int) -> int | None:
    """When the first task ended; its hour where that is long ago, or its row is gone."""
    kept = collected.all_time
    hour = kept.first_hour if kept else rollups.first_hour(conn)
    if hour is None or now - hour > _LONG_US or rollups.archived_hours(conn, {hour}):
        return hour
    return rollups.first_end(conn, hour) or hour


def _savings(
    conn: Connection, request: StatsRequest, collected: Collected, now: int
) -> Savings | None:
    terms = request.query.terms
    if any(term.name != "engine" for term in terms):
        return None
    found: list[Dispositions] = []
    if collected.all_time:
        found += collected.all_time.dispositions
    elif collected.window.is_all:
        found = rollups.of_submissions(conn, None)
    else:
        start, end = collected.window.reach(now)
        for span in cut(floor_to(start, HOUR_US), ceil_to(end, HOUR_US)).spans:
            found += rollups.of_submissions(conn, span)
    return savings_of(one for one in found if all(name_matches(term, one.engine) for term in terms))


def savings_of(found: Iterable[Dispositions]) -> Savings:
    """Requests added up by what became of them."""
    sums = {name: Requests() for name in ("new", "followed", "skipped")}
    for one in found:
        sums[one.disposition] += Requests(n=one.n, char_count=one.char_count, audio_ms=one.audio_ms)
    return Savings(**sums)
