"""Histograms of a request's completed tasks: all time, from closed hours and days, or from rows."""

from collections.abc import Iterable, Mapping
from typing import Final

from app.domain.histogram import MEASURES, Histogram, merged, place_of, unpack
from app.domain.query.match import name_matches
from app.domain.window import DAY_US, GRAIN_US, HOUR_US, Span, cut, floor_to
from app.service.stats.cells import Collected
from app.service.stats.request import StatsRequest
from app.store import latencies, rollups
from app.store.database import Connection
from app.store.latencies import Packed

#: Rows that are read for the percentiles of one answer at most, where no histogram is kept.
MAX_ROWS: Final = 200_000
#: Histograms by measure.
Shapes = Mapping[str, Histogram]
#: Histograms by the value that tells apart; "" where nothing does.
ByValue = dict[str, Shapes]


class ShapeReader:
    """Reads the histograms of a request, in the caller's snapshot.

    Attributes:
        rows_wanted: Rows that would have to be read and were not, for there are too many; 0: none.
    """

    def __init__(self, conn: Connection, request: StatsRequest) -> None:
        self._conn = conn
        self._request = request
        self._dimensions = request.dimensions
        self._left = MAX_ROWS
        self.rows_wanted = 0

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
        if len(self._dimensions) > 1:
            return self._of_rows(start, end)
        pieces = cut(start, end)
        found = [self._of_rows(*ragged) for ragged in pieces.ragged]
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
        if len(self._dimensions) > 1:
            step = GRAIN_US[span.grain]
            starts = range(span.start, span.end, step)
            return {start: [self._of_rows(start, start + step)] for start in starts}
        dimension = self._dimensions[0] if self._dimensions else ""
        kept: dict[int, list[Packed]] = {}
        for one in latencies.packed(self._conn, span, dimension):
            kept.setdefault(one.start, []).append(one)
        counted = latencies.completed(self._conn, span, dimension)
        return {
            start: self._of_start(span, start, kept.get(start, []), values)
            for start, values in counted.items()
        }

    def _of_start(
        self, span: Span, start: int, kept: list[Packed], counted: Mapping[str, int]
    ) -> list[ByValue]:
        """What is kept of an hour or day, if it is of as many tasks as the counters have."""
        if {one.value: one.n for one in kept if one.n} == counted:
            return [
                {self._key((one.value,)): unpack(one.buckets)}
                for one in kept
                if one.n and self._fits((one.value,))
            ]
        if span.grain == "day":
            hours = self._parts(Span(grain="hour", start=start, end=start + DAY_US))
            return [part for parts in hours.values() for part in parts]
        return [self._of_rows(start, start + HOUR_US)]

    def _of_rows(self, start: int, end: int) -> ByValue:
        """Counted from the rows, unless there are too many."""
        if not self._may_read(start, end):
            return {}
        counts: dict[str, dict[str, dict[int, int]]] = {}
        for values, durations in latencies.values(self._conn, start, end, self._dimensions):
            if self._fits(values):
                mine = counts.setdefault(self._key(values), {name: {} for name in MEASURES})
                for name, ms in zip(MEASURES, durations, strict=True):
                    place = place_of(ms)
                    mine[name][place] = mine[name].get(place, 0) + 1
        return {
            value: {name: Histogram(found) for name, found in of_value.items()}
            for value, of_value in counts.items()
        }

    def _may_read(self, start: int, end: int) -> bool:
        """Whether the rows of the hours that a stretch touches may be read; they are counted."""
        hours = Span(grain="hour", start=floor_to(start, HOUR_US), end=end)
        counted = latencies.completed(self._conn, hours, "")
        n = sum(n for values in counted.values() for n in values.values())
        if n > self._left:
            self.rows_wanted += n
            return False
        self._left -= n
        return True

    def _wants_completed(self) -> bool:
        """Whether the filter holds for completed tasks: only their durations are told."""
        terms = [term for term in self._request.query.terms if term.name == "status"]
        return all(name_matches(term, "completed") for term in terms)

    def _fits(self, values: tuple[str, ...]) -> bool:
        places = {name: place for place, name in enumerate(self._dimensions)}
        return all(
            name_matches(term, values[places[term.name]])
            for term in self._request.query.terms
            if term.name in places and places[term.name] < len(values)
        )

    def _key(self, values: tuple[str, ...]) -> str:
        by = self._request.by
        return values[self._dimensions.index(by)] if by else ""


def together(found: Iterable[ByValue]) -> ByValue:
    """Histograms of the same value and measure added up."""
    parts: dict[str, list[Shapes]] = {}
    for by_value in found:
        for value, shapes in by_value.items():
            parts.setdefault(value, []).append(shapes)
    return {
        value: several[0]
        if len(several) == 1
        else {name: merged([shapes[name] for shapes in several]) for name in MEASURES}
        for value, several in parts.items()
    }
