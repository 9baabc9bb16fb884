"""Attempts counted by profile: whole hours and days of the cube, and the rows of ragged ends."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from app.domain.window import DAY_US, GRAIN_US, HOUR_US, Span, ceil_to, cut
from app.service.correlate.ragged import Ragged, added_up
from app.store import attempt_cube, attempt_hours
from app.store.attempt_hours import HourCounts
from app.store.database import Connection

#: Longest span of hours that one statement reads, and of days.
_HOURS_US: Final = 4 * DAY_US
_DAYS_US: Final = 60 * DAY_US
_NONE: Final = np.zeros(0, np.int64)

#: Told how many of the pieces have been read, of how many.
Count = Callable[[int, int], None]


def by_hour(ends: Ragged, start: int, end: int, tell: Count, *, in_days: bool) -> HourCounts:
    """Attempts that ended from the one moment on and before the other, hour by hour.

    Args:
        ends: Where to read.
        start: Microseconds since the epoch.
        end: The same.
        tell: Told how far it is.
        in_days: Whether days are enough where there are whole ones.
    """
    pieces = cut(start, end)
    spans = [part for span in pieces.spans for part in _parts(span, in_days=in_days)]
    found: list[HourCounts] = []
    for done, span in enumerate(spans, start=1):
        found.append(attempt_hours.of_span(ends.conn, span))
        tell(done, len(spans))
    for begin, before in _by_the_hour(pieces.ragged):
        rows = ends.of(begin, before)
        hours = np.full_like(rows.ids, begin // HOUR_US)
        found.append(HourCounts(ids=rows.ids, n=rows.n, hours=hours))
    return HourCounts(
        ids=np.concatenate([_NONE, *(one.ids for one in found)]),
        n=np.concatenate([_NONE, *(one.n for one in found)]),
        hours=np.concatenate([_NONE, *(one.hours for one in found)]),
        removed=sum(one.removed for one in found),
    )


def together(ends: Ragged, start: int, end: int, tell: Count) -> HourCounts:
    """The same, all hours together: each profile once, hours 0."""
    pieces = cut(start, end)
    spans = [part for span in pieces.spans for part in _parts(span, in_days=True)]
    ids, n = [_NONE], [_NONE]
    for done, span in enumerate(spans, start=1):
        cells = attempt_cube.of_span(ends.conn, span)
        ids.append(cells.ids)
        n.append(cells.n)
        tell(done, len(spans))
    for begin, before in _by_the_hour(pieces.ragged):
        rows = ends.of(begin, before)
        ids.append(rows.ids)
        n.append(rows.n)
    keys = np.concatenate(ids)
    return each_once(HourCounts(ids=keys, n=np.concatenate(n), hours=np.zeros_like(keys)))


def each_once(found: HourCounts) -> HourCounts:
    """Each profile once, hours 0."""
    ids, n = added_up(found.ids, found.n)
    return replace(found, ids=ids, n=n, hours=np.zeros_like(ids))


def by_hour_of_day(found: HourCounts) -> HourCounts:
    """Each profile once with each hour of the day (UTC): the hours of all days together."""
    keys, n = added_up(found.ids * 24 + found.hours % 24, found.n)
    return replace(found, ids=keys // 24, n=n, hours=keys % 24)


def is_removed(conn: Connection, start: int, end: int) -> bool:
    """Whether attempts of the hours that a stretch touches have no rows any more."""
    pieces = cut(start - start % HOUR_US, end + -end % HOUR_US)
    return any(attempt_hours.removed_in(conn, span) for span in pieces.spans)


def _by_the_hour(ragged: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Ragged ends, each within one hour: a short window is one end that reaches into the next."""
    for start, end in ragged:
        middle = min(ceil_to(start + 1, HOUR_US), end)
        yield from (pair for pair in ((start, middle), (middle, end)) if pair[0] < pair[1])


def _parts(span: Span, *, in_days: bool) -> Iterable[Span]:
    """A span in parts that one statement reads; of hours, unless days are enough."""
    grain = span.grain if in_days else "hour"
    step = _DAYS_US if GRAIN_US[grain] == DAY_US else _HOURS_US
    for start in range(span.start, span.end, step):
        yield Span(grain=grain, start=start, end=min(start + step, span.end))
