"""Histograms of a request's completed tasks: all time, from closed hours and days, or from rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.domain.histogram import MEASURES, Histogram, merged, place_of
from app.domain.query.match import name_matches
from app.domain.window import DAY_US, GRAIN_US, HOUR_US, Span, Window, cut, floor_to
from app.service.stats.kept import Cells, Kept, by_value, told_by
from app.service.stats.request import StatsRequest
from app.store import latencies, rollups
from app.store.all_time import AllTime
from app.store.database import Connection

#: Rows that are read for the percentiles of one answer at most, where no histogram is kept.
MAX_ROWS: Final = 200_000
#: Histograms by measure.
Shapes = Mapping[str, Histogram]
#: Histograms by the value that tells apart; "" where nothing does.
ByValue = dict[str, Shapes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Tasks of which no percentile can be told, so that none is told of others beside them.

    Attributes:
        rows: Those whose rows would have to be read, and are too many.
        removed: Those whose rows are gone, where what is kept does not tell them apart.
    """

    rows: int = 0
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.removed)

    def __add__(self, other: "Missing") -> "Missing":
        return Missing(rows=self.rows + other.rows, removed=self.removed + other.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Histograms by the value that tells apart, each of all its tasks.

    Attributes:
        missing: By value, the tasks for which it has none.
    """

    shapes: ByValue = field(default_factory=dict)
    missing: Mapping[str, Missing] = field(default_factory=dict)

    @property
    def all_missing(self) -> Missing:
        """Of whatever value."""
        return sum(self.missing.values(), Missing())


class ShapeReader:
    """Reads the histograms of a request, in the caller's snapshot.

    Of each hour and day histograms are kept for the values of one dimension. They answer a request
    of several where each value's tasks are all of one kind to it: a voice is mostly of one engine.
    """

    def __init__(self, conn: Connection, request: StatsRequest) -> None:
        self._conn = conn
        self._request = request
        self._dimensions = request.dimensions
        self._left = MAX_ROWS

    def of_window(self, window: Window, now: int, all_time: AllTime | None = None) -> Told:
        """The histograms of what ended in a window (one that can be told: `cells.told_window`)."""
        if not self._wants_completed():
            return Told()
        if all_time:
            return Told(shapes={"": all_time.histograms})
        start, end = window.reach(now)
        if window.start is None:
            start = min(rollups.first_hour(self._conn) or end, end)
        pieces = cut(start, end)
        found = [self._of_ragged(*ragged) for ragged in pieces.ragged]
        for span in pieces.spans:
            for parts in self._parts(span).values():
                found += parts
        return together(found)

    def of_span(self, span: Span) -> dict[int, Told]:
        """The histograms of each hour or day in which tasks completed."""
        if not self._wants_completed():
            return {}
        return {start: together(parts) for start, parts in self._parts(span).items()}

    def _parts(self, span: Span) -> dict[int, list[Told]]:
        """The same in parts that are not yet added up."""
        kept = Kept(self._conn, span)
        counted = latencies.completed(self._conn, span, self._dimensions)
        return {start: self._of_start(span, start, kept, cells) for start, cells in counted.items()}

    def _of_start(self, span: Span, start: int, kept: Kept, cells: Cells) -> list[Told]:
        """From what is kept of an hour or day, if it is of as many tasks as the counters have."""
        asked = {values: self._key(values) for values in cells if self._fits(values)}
        if not asked:
            return []
        is_told = False
        for place, name in enumerate(self._dimensions or ("",)):
            keys = told_by(place, cells, asked)
            if keys is not None:
                is_told = True
                found = kept.of(name, start, by_value(place, cells), keys)
                if found is not None:
                    return [Told(shapes={keys[value]: one}) for value, one in found.items()]
        removed = sum(cells[values].archived for values in asked)
        if span.grain == "day" and (is_told or removed):
            hours = self._parts(Span(grain="hour", start=start, end=start + DAY_US))
            return [part for parts in hours.values() for part in parts]
        return self._of_those_left(start, start + GRAIN_US[span.grain], cells, asked)

    def _of_those_left(
        self, start: int, end: int, cells: Cells, asked: Mapping[tuple[str, ...], str]
    ) -> list[Told]:
        """From the rows, of each value that has all of its own; the others are missing."""
        gone: dict[str, Missing] = {}
        for values, key in asked.items():
            if removed := cells[values].archived:
                gone[key] = gone.get(key, Missing()) + Missing(removed=removed)
        left = {values: cells[values].n for values, key in asked.items() if key not in gone}
        return [Told(missing=gone), self._of_rows(start, end, left)]

    def _of_ragged(self, start: int, end: int) -> Told:
        """From the rows: a part of an hour, of which none is gone (`cells.told_window`)."""
        hours = Span(grain="hour", start=floor_to(start, HOUR_US), end=end)
        counts: dict[tuple[str, ...], int] = {}
        for cells in latencies.completed(self._conn, hours, self._dimensions).values():
            for values, counted in cells.items():
                if self._fits(values):
                    counts[values] = counts.get(values, 0) + counted.n
        return self._of_rows(start, end, counts)

    def _of_rows(self, start: int, end: int, counts: Mapping[tuple[str, ...], int]) -> Told:
        """Counted from the rows, as many as `counts` says at most, unless they are too many."""
        n = sum(counts.values())
        if n > self._left:
            missing: dict[str, Missing] = {}
            for values, rows in counts.items():
                key = self._key(values)
                missing[key] = missing.get(key, Missing()) + Missing(rows=rows)
            return Told(missing=missing)
        self._left -= n
        return Told(shapes=self._counted(start, end, counts)) if n else Told()

    def _counted(self, start: int, end: int, asked: Collection[tuple[str, ...]]) -> ByValue:
        only = {name: {values[i] for values in asked} for i, name in enumerate(self._dimensions)}
        counts: dict[str, dict[str, dict[int, int]]] = {}
        for values, durations in latencies.values(
            self._conn, start, end, self._dimensions, {} if _is_all(self._request) else only
        ):
            if values in asked:
                mine = counts.setdefault(self._key(values), {name: {} for name in MEASURES})
                for name, ms in zip(MEASURES, durations, strict=True):
                    place = place_of(ms)
                    mine[name][place] = mine[name].get(place, 0) + 1
        return {
            value: {name: Histogram(found) for name, found in of_value.items()}
            for value, of_value in counts.items()
        }

    def _wants_completed(self) -> bool:
        """Whether the filter holds for completed tasks: only their durations are told."""
        terms = [term for term in self._request.query.terms if term.name == "status"]
        return all(name_matches(term, "completed") for term in terms)

    def _fits(self, values: tuple[str, ...]) -> bool:
        places = {name: place for place, name in enumerate(self._dimensions)}
        return all(
            name_matches(term, values[places[term.name]])
            for term in self._request.query.terms
            if term.name in places
        )

    def _key(self, values: tuple[str, ...]) -> str:
        by = self._request.by
        return values[self._dimensions.index(by)] if by else ""


def _is_all(request: StatsRequest) -> bool:
    return all(term.name == "status" for term in request.query.terms)


def together(found: Iterable[Told]) -> Told:
    """Histograms of the same value and measure added up; none of a value of which a part lacks."""
    parts: dict[str, list[Shapes]] = {}
    missing: dict[str, Missing] = {}
    for one in found:
        for value, shapes in one.shapes.items():
            parts.setdefault(value, []).append(shapes)
        for value, lacking in one.missing.items():
            missing[value] = missing.get(value, Missing()) + lacking
    return Told(
        shapes={
            value: _added_up(several) for value, several in parts.items() if value not in missing
        },
        missing=missing,
    )


def _added_up(several: Sequence[Shapes]) -> Shapes:
    if len(several) == 1:
        return several[0]
    return {name: merged([shapes[name] for shapes in several]) for name in MEASURES}


def undivided(told: Told) -> Told:
    """Those of all values, where none is missing."""
    if set(told.shapes) <= {""}:
        return told
    return together(Told(shapes={"": one}) for one in told.shapes.values())
