"""Failures of a window, read where they are told best.

Failures are few among attempts, so that rows are read as long as that pays: up to eight days. Of
longer windows days are counted from the cube, with rows at the ragged ends; so are hours where
retention has removed rows. Where it has removed those of a ragged end, the window is widened to the
whole hour or day, and says so.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from app.domain.window import DAY_US, EVER_US, GRAIN_US, HOUR_US, Grain, ceil_to, floor_to
from app.domain.window import Span as Hours
from app.service.failures.views import Span
from app.store import failure_counts
from app.store.database import Connection
from app.store.failure_counts import Bins, Cell, Told

#: Parts of a short window, and the most of a longer one, whose ends may be ragged.
BINS: Final = 24
MOST_BINS: Final = BINS + 1
#: Windows from the first on are cut at whole hours; up to the second they are read from rows.
CUT_US: Final = 12 * HOUR_US
ROWS_US: Final = 8 * DAY_US
_GRAINS: Final[tuple[Grain, ...]] = ("day", "hour")
#: All time.
EVER: Final = Hours(grain="day", start=0, end=EVER_US)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which failures are read.

    Attributes:
        keys: Fingerprints that rows are looked for by.
        told: What is told of them.
        is_one: Whether it is one group: the cube is then read by its profiles.
    """

    keys: Collection[str]
    told: Told
    is_one: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read: the window as it was counted, and its cells."""

    window: Span
    bin_count: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """A window in hours or days; what ends now is in the counters of the running hour already.

    Attributes:
        first, last: The whole hours or days in it begin at `first` or later, and before `last`.
    """

    start: int
    end: int
    now: int
    grain: Grain

    @property
    def unit_us(self) -> int:
        return GRAIN_US[self.grain]

    @property
    def first(self) -> int:
        return ceil_to(self.start, self.unit_us)

    @property
    def last(self) -> int:
        is_open = self.end >= self.now
        return ceil_to(self.end, self.unit_us) if is_open else floor_to(self.end, self.unit_us)

    @property
    def whole(self) -> Hours:
        """Its whole hours or days."""
        return Hours(grain=self.grain, start=self.first, end=self.last)

    @property
    def ragged(self) -> list[tuple[int, int]]:
        """Its ends that are none."""
        pairs = ((self.start, min(self.first, self.end)), (max(self.last, self.first), self.end))
        return [pair for pair in pairs if pair[0] < pair[1]]

    @property
    def widened(self) -> "_Window":
        """The same in whole hours or days."""
        start, end = floor_to(self.start, self.unit_us), ceil_to(self.end, self.unit_us)
        return replace(self, start=start, end=end)

    @property
    def units(self) -> Bins:
        """Its parts, cut at whole hours or days."""
        at = floor_to(self.start, self.unit_us)
        unit_count = -(-(self.end - at) // self.unit_us)
        return Bins(at=at, step_us=-(-unit_count // MOST_BINS) * self.unit_us)

    @property
    def parts(self) -> Bins:
        """Its parts where moments are known: of a short one, equal parts of what it is."""
        if self.end - self.start >= CUT_US:
            return self.units
        return Bins(at=self.start, step_us=-(-(self.end - self.start) // BINS))


def read(conn: Connection, start: int, end: int, now: int, wanted: Wanted) -> Read:
    """The failures that ended from `start` on and before `end`."""
    grain: Grain = "hour" if end - start <= ROWS_US else "day"
    window = _Window(start=start, end=end, now=now, grain=grain)
    if grain == "hour" and not _has_removed(conn, start, end):
        bins = window.parts
        found = failure_counts.of_rows(conn, wanted.keys, (start, end), bins, wanted.told)
        return _read(window, bins, found, is_widened=False)
    is_widened = any(_has_removed(conn, low, high) for low, high in window.ragged)
    if is_widened:
        window = window.widened
    bins = window.units
    return _read(window, bins, _by_units(conn, window, bins, wanted), is_widened=is_widened)


def _has_removed(conn: Connection, start: int, end: int) -> bool:
    """Whether retention removed attempts of the hours that a stretch of time touches.

    Days are looked at first: they have fewer cells, and mostly nothing was removed in them.
    """
    return all(
        failure_counts.has_removed(
            conn, Hours(grain=grain, start=floor_to(start, GRAIN_US[grain]), end=end)
        )
        for grain in _GRAINS
    )


def _read(window: _Window, bins: Bins, cells: list[Cell], *, is_widened: bool) -> Read:
    told = Span(
        start=window.start,
        end=window.end,
        is_whole_hours=is_widened,
        bins_at=bins.at,
        bin_us=bins.step_us,
    )
    return Read(window=told, bin_count=-(-(window.end - bins.at) // bins.step_us), cells=cells)


def _by_units(conn: Connection, window: _Window, bins: Bins, wanted: Wanted) -> list[Cell]:
    """Whole hours or days from the cube, ragged ends from rows."""
    if wanted.is_one:
        (key,) = wanted.keys
        cells = of_one(conn, key, window.whole, bins, wanted.told)
    else:
        cells = failure_counts.of_span(conn, window.whole, bins, wanted.told)
    for pair in window.ragged:
        cells += failure_counts.of_rows(conn, wanted.keys, pair, bins, wanted.told)
    return cells


def of_one(conn: Connection, fingerprint: str, span: Hours, bins: Bins, told: Told) -> list[Cell]:
    """The failures of one fingerprint in some hours or days."""
    known = failure_counts.profiles(conn, fingerprint, told)
    found = failure_counts.of_one(conn, fingerprint, span)
    return [
        known[key]._replace(at=(at - bins.at) // bins.step_us, n=n)
        for key, at, n in found
        if key in known
    ]
