"""Failures of a window, read where they are told best: short windows from rows, others by hours.

A window of more than half a day is counted by whole hours from the cube and by rows at its ragged
ends; a very long one by days. Where retention has removed the rows of a ragged end, the window is
widened to the whole hour or day, and says so.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain.window import DAY_US, EVER_US, GRAIN_US, HOUR_US, Grain, ceil_to, floor_to
from app.domain.window import Span as Hours
from app.service.failures.views import Span
from app.store import attempt_cube, failure_counts
from app.store.database import Connection
from app.store.failure_counts import Cell

#: Parts of a short window, and the most of a longer one, whose ends may be ragged.
BINS: Final = 24
MOST_BINS: Final = BINS + 1
#: All time.
EVER: Final = Hours(grain="day", start=0, end=EVER_US)
#: Windows up to this are read from rows; from this on they are counted by days.
SHORT_US: Final = 12 * HOUR_US
LONG_US: Final = 32 * DAY_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which failures are read.

    Attributes:
        keys: Fingerprints that rows are looked for by.
        names: Dimensions that are told.
        where: dimension -> value: only failures there.
        is_one: Whether it is one group: the cube is then read by its profiles.
    """

    keys: Collection[str]
    names: Sequence[str]
    where: Mapping[str, str]
    is_one: bool = False

    @property
    def fingerprint(self) -> str | None:
        """The only one that is wanted; None: all are."""
        return next(iter(self.keys), None) if self.is_one else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read: the window as it was counted, and cells whose `at` is a number of a bin."""

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
    def ragged(self) -> list[tuple[int, int]]:
        """Its ends that are no whole hours or days."""
        pairs = ((self.start, min(self.first, self.end)), (max(self.last, self.first), self.end))
        return [pair for pair in pairs if pair[0] < pair[1]]

    @property
    def widened(self) -> "_Window":
        """The same in whole hours or days."""
        start, end = floor_to(self.start, self.unit_us), ceil_to(self.end, self.unit_us)
        return replace(self, start=start, end=end)


def read(conn: Connection, start: int, end: int, now: int, wanted: Wanted) -> Read:
    """The failures that ended from `start` on and before `end`."""
    grain: Grain = "hour" if end - start < LONG_US else "day"
    window = _Window(start=start, end=end, now=now, grain=grain)
    is_short = end - start <= SHORT_US
    looked_at = [(start, end)] if is_short else window.ragged
    hours = {hour for low, high in looked_at for hour in _hours(low, high)}
    if hours and attempt_cube.archived_hours(conn, hours):
        return _by_units(conn, window.widened, wanted, is_widened=True)
    return _by_rows(conn, start, end, wanted) if is_short else _by_units(conn, window, wanted)


def of_one(
    conn: Connection,
    fingerprint: str,
    span: Hours,
    names: Sequence[str],
    where: Mapping[str, str],
) -> list[Cell]:
    """The failures of one fingerprint in some hours or days."""
    known = failure_counts.profiles(conn, fingerprint, names, where=where)
    found = failure_counts.of_one(conn, fingerprint, span)
    return [replace(known[key], at=at, n=n) for key, at, n in found if key in known]


def _hours(low: int, high: int) -> range:
    return range(floor_to(low, HOUR_US), high, HOUR_US)


def _by_rows(conn: Connection, start: int, end: int, wanted: Wanted) -> Read:
    step_us = -(-(end - start) // BINS)
    between = (start, end, step_us)
    found = failure_counts.of_rows(conn, wanted.keys, between, wanted.names, where=wanted.where)
    span = Span(start=start, end=end, is_whole_hours=False, bins_at=start, bin_us=step_us)
    return Read(window=span, bin_count=BINS, cells=found)


def _by_units(
    conn: Connection, window: _Window, wanted: Wanted, *, is_widened: bool = False
) -> Read:
    """Whole hours or days from the cube, ragged ends from rows; each in the bin of its unit."""
    base = floor_to(window.start, window.unit_us)
    unit_count = -(-(window.end - base) // window.unit_us)
    bin_us = -(-unit_count // MOST_BINS) * window.unit_us
    span = Hours(grain=window.grain, start=window.first, end=window.last)
    if wanted.fingerprint is None:
        cells = failure_counts.of_span(conn, span, wanted.names, where=wanted.where)
    else:
        cells = of_one(conn, wanted.fingerprint, span, wanted.names, wanted.where)
    for low, high in window.ragged:
        between = (low, high, high - low)
        rows = failure_counts.of_rows(conn, wanted.keys, between, wanted.names, where=wanted.where)
        cells += [replace(cell, at=low) for cell in rows]
    told = Span(
        start=window.start,
        end=window.end,
        is_whole_hours=is_widened,
        bins_at=base,
        bin_us=bin_us,
    )
    return Read(
        window=told,
        bin_count=-(-(window.end - base) // bin_us),
        cells=[replace(cell, at=(cell.at - base) // bin_us) for cell in cells],
    )
