"""Histograms of a request's completed tasks: all time, from closed hours and days, or from rows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.histogram import MEASURES, Histogram, merged, place_of, unpack
from app.domain.query.match import name_matches
from app.domain.window import DAY_US, GRAIN_US, HOUR_US, Span, cut, floor_to
from app.service.stats.cells import Collected
from app.service.stats.kept import Cells, Kept, by_value, told_by
from app.service.stats.request import StatsRequest
from app.store import latencies, rollups
from app.store.database import Connection

#: Rows that are read for the percentiles of one answer at most, where no histogram is kept.
MAX_ROWS: Final = 200_000
#: Histograms by measure.
Shapes = Mapping[str, Histogram]
#: Histograms by the value that tells apart; "" where nothing does.
ByValue = dict[str, Shapes]


@dataclass(slots=True, kw_only=True)
class Missing:
    """Tasks of which no percentile can be told, so that none is told at all.

    Attributes:
        rows: Those whose rows would have to be read, and are too many.
        removed: Those whose rows are gone, where what is kept does not tell them apart.
    """

    rows: int = 0
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.removed)


class ShapeReader:
    """Reads the histograms of a request, in the caller's snapshot.

    Of each hour and day histograms are kept for the values of one dimension. They answer a request
    of several where each value's tasks are all of one kind to it: a voice is mostly of one engine.

    Attributes:
        missing: What could not be read.
    """

    def __init__(self, conn: Connection, request: StatsRequest) -> None:
        self._conn = conn
        self._request = request
        self._dimensions = request.dimensions
        self._left = MAX_ROWS
        self.missing = Missing()

    def of_window(self, collected: Collected, now: int) -> ByValue:
        """The histograms of the tasks of a request's cells."""
        if not self._wants_completed():
            return {}
        if collected.all_time:
            return {"": collected.all_time.histograms}
        window = collected.window
        start, end = window.reach(now)
        if window.start is None:
            start = min(rollups.first_hour(self._conn) or end, end)
        pieces = cut(start, end)
        found = [self._of_ragged(*ragged) for ragged in pieces.ragged]
        for span in pieces.spans:
            for parts in self._parts(span).values():
                found += parts
        return together(found)

    def of_span(self, span: Span) -> dict[int, ByValue]:
        """The histograms of each hour or day in which tasks completed."""
        if not self._wants_completed():
            return {}
        return {start: together(parts) for start, parts in self._parts(span).items()}

    def _parts(self, span: Span) -> dict[int, list[ByValue]]:
        """The same in parts that are not yet added up."""
        kept = Kept(self._conn, span)
        counted = latencies.completed(self._conn, span, self._dimensions)
        return {start: self._of_start(span, start, kept, cells) for start, cells in counted.items()}

    def _of_start(self, span: Span, start: int, kept: Kept, cells: Cells) -> list[ByValue]:
        """From what is kept of an hour or day, if it is of as many tasks as the counters have."""
        asked = {values: self._key(values) for values in cells if self._fits(values)}
        if not asked:
            return []
        is_told = False
        for place, name in enumerate(self._dimensions or ("",)):
            keys = told_by(place, cells, asked)
            if keys is not None:
                is_told = True
                found = kept.of(name, start, by_value(place, cells))
                if found is not None:
                    return [{key: unpack(found[value])} for value, key in keys.items()]
        removed = sum(cells[values].archived for values in asked)
        if span.grain == "day" and (is_told or removed):
            hours = self._parts(Span(grain="hour", start=start, end=start + DAY_US))
            return [part for parts in hours.values() for part in parts]
        if removed:
            self.missing.removed += removed
            return []
        end = start + GRAIN_US[span.grain]
        return [self._of_rows(start, end, sum(cells[values].n for values in asked), asked)]

    def _of_ragged(self, start: int, end: int) -> ByValue:
        """From the rows: a part of an hour, of which none is gone (`cells.told_window`)."""
        hours = Span(grain="hour", start=floor_to(start, HOUR_US), end=end)
        counted = latencies.completed(self._conn, hours, self._dimensions)
        asked = {values for cells in counted.values() for values in cells if self._fits(values)}
        n = sum(cells[values].n for cells in counted.values() for values in asked & cells.keys())
        return self._of_rows(start, end, n, asked)

    def _of_rows(self, start: int, end: int, n: int, asked: Collection[tuple[str, ...]]) -> ByValue:
        """Counted from the rows of those that are asked for, `n` at most, unless it is too many."""
        if not n:
            return {}
        if n > self._left:
            self.missing.rows += n
            return {}
        self._left -= n
        only = {name: {values[i] for values in asked} for i, name in enumerate(self._dimensions)}
        counts: dict[str, dict[str, dict[int, int]]] = {}
        for values, durations in latencies.values(
            self._conn, start, end, self._dimensions, {} if _is_all(self._request) else only
        ):
            if self._fits(values):
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


def together(found: Iterable[ByValue]) -> ByValue:
    """Histograms of the same value and measure added up."""
    parts: dict[str, list[Shapes]] = {}
    for one in found:
        for value, shapes in one.items():
            parts.setdefault(value, []).append(shapes)
    return {
        value: several[0]
        if len(several) == 1
        else {name: merged([shapes[name] for shapes in several]) for name in MEASURES}
        for value, several in parts.items()
    }
