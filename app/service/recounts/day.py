"""One day: the sum of its hours against the day, and its histograms out of those of its hours."""

from typing import TYPE_CHECKING

from app.domain.drift import Scope
from app.domain.histogram import MEASURES, merged, pack, unpack
from app.domain.window import DAY_US, Span
from app.service.core import Core
from app.service.recounts import cells, words
from app.service.recounts.found import GRACE_US, Found, snapshot, write
from app.store import recount_counters, recount_latencies, recount_results, recount_rows
from app.store.database import Connection
from app.store.recount_counters import TIMED
from app.store.recount_latencies import Packed

if TYPE_CHECKING:
    from app.domain.histogram import Histogram


def look(core: Core, start: int) -> Found:
    """Compares a day with its hours in one snapshot (reads their cells, no task)."""
    day = Span(grain="day", start=start, end=start + DAY_US)
    hours = Span(grain="hour", start=start, end=start + DAY_US)
    with snapshot(core) as now:
        expected = {one: recount_counters.of_span(now.conn, one, hours) for one in TIMED}
        got = {one: recount_counters.of_span(now.conn, one, day) for one in TIMED}
    differences = [
        difference
        for place in TIMED
        for difference in cells.in_span(place, day, expected[place], got[place])
    ]
    return Found(
        scope=Scope(parts=tuple((place, f"{words.period('day', start)} ") for place in TIMED)),
        at=now.at,
        turn=now.turn,
        differences=tuple(differences),
        empty=tuple(place for place in TIMED if cells.has_empty(got[place])),
        fixed={"grain": "day", "start": start},
    )


def keep_latencies(core: Core, start: int) -> bool:
    """Writes a day's histograms, once all its hours have theirs; returns whether it changed them.

    Reads some 60 histograms of each hour where a dimension has 40 values.
    """
    with snapshot(core) as now:
        if start + DAY_US + GRACE_US > now.at or not _is_checked(now.conn, start):
            return False
        span = Span(grain="hour", start=start, end=start + DAY_US)
        wanted = _added(recount_latencies.of_span(now.conn, span))
        if wanted == recount_latencies.of_start(now.conn, "day", start):
            return False
    write(core, lambda conn: recount_latencies.put(conn, "day", start, wanted))
    return True


def _is_checked(conn: Connection, start: int) -> bool:
    """Whether every hour of a day in which a task ended was counted anew."""
    hours = recount_counters.starts(conn, "stat_period", "hour", start, start + DAY_US)
    hours += recount_rows.hours(conn, start, start + DAY_US)
    return set(hours) <= recount_results.checked_among(conn, start, start + DAY_US)


def _added(found: list[tuple[str, str, int, bytes]]) -> Packed:
    by_value: dict[tuple[str, str], list[tuple[int, dict[str, Histogram]]]] = {}
    for dimension, value, n, packed in found:
        by_value.setdefault((dimension, value), []).append((n, unpack(packed)))
    return {
        key: (
            sum(n for n, _ in hours),
            pack({one: merged([of[one] for _, of in hours]) for one in MEASURES}),
        )
        for key, hours in by_value.items()
    }
