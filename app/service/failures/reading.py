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
from app.service.correlate.profiles import Profiles
from app.service.failures import counting
from app.service.failures.counting import Sums
from app.service.failures.views import Span
from app.store import failure_cells, failure_counts
from app.store.database import Connection
from app.store.failure_cells import Cells
from app.store.failure_counts import Bins, Told

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
        profiles: What the cube's numbers stand for.
        days: Of one group, all days of it (`of_one`): the cube is then read by its profiles.
    """

    keys: Collection[str]
    told: Told
    profiles: Profiles
    days: Cells | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read: the window as it was counted, and the sums of each group that failed in it."""

    window: Span
    bin_count: int
    groups: dict[str, Sums]

    def of(self, fingerprint: str, told: Told) -> Sums:
        """The sums of a group."""
        return self.groups.get(fingerprint) or counting.none(told.names, self.bin_count)


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
        found = _read(window, window.parts, {}, is_widened=False)
        _add_rows(conn, found, (start, end), wanted)
        return found
    is_widened = any(_has_removed(conn, low, high) for low, high in window.ragged)
    if is_widened:
        window = window.widened
    bins = window.units
    found = _read(window, bins, _of_cube(conn, window, bins, wanted), is_widened=is_widened)
    for pair in window.ragged:
        _add_rows(conn, found, pair, wanted)
    return found


def of_one(conn: Connection, fingerprint: str) -> Cells:
    """All failures of one fingerprint, by the day."""
    return failure_cells.of_one(conn, fingerprint, EVER)


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


def _read(window: _Window, bins: Bins, groups: dict[str, Sums], *, is_widened: bool) -> Read:
    told = Span(
        start=window.start,
        end=window.end,
        is_whole_hours=is_widened,
        bins_at=bins.at,
        bin_us=bins.step_us,
    )
    return Read(window=told, bin_count=_count(window, bins), groups=groups)


def _count(window: _Window, bins: Bins) -> int:
    return -(-(window.end - bins.at) // bins.step_us)


def _of_cube(conn: Connection, window: _Window, bins: Bins, wanted: Wanted) -> dict[str, Sums]:
    """What whole hours or days of the window say."""
    span = window.whole
    if wanted.days is None:
        cells = failure_cells.of_span(conn, span)
    elif span.grain == "day":
        cells = wanted.days.within(span.start, span.end)
    else:
        (key,) = wanted.keys
        cells = failure_cells.of_one(conn, key, span)
    coded = wanted.profiles.of(conn, cells.ids)
    return counting.of_cube(cells, coded, wanted.told, bins, _count(window, bins))


def _add_rows(conn: Connection, found: Read, between: tuple[int, int], wanted: Wanted) -> None:
    bins = Bins(at=found.window.bins_at, step_us=found.window.bin_us)
    rows = failure_counts.of_rows(conn, wanted.keys, between, bins, wanted.told)
    counting.add_rows(found.groups, rows, wanted.told.names, found.bin_count)
