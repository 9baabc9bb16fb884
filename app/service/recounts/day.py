"""One day: the sum of its hours against the day, and its histograms against those of its hours."""

from typing import TYPE_CHECKING, TypeAlias

from app.domain.drift import Scope
from app.domain.histogram import MEASURES, is_of, merged, pack, readable
from app.domain.window import DAY_US, Span
from app.service.core import Core
from app.service.recounts import attempts, cells, latency, words
from app.service.recounts.found import GRACE_US, Found, snapshot
from app.service.recounts.latency import PLACE, Case, Judged, Written, judge
from app.store import recount_counters, recount_latencies, recount_results, recount_rows
from app.store.database import Connection
from app.store.recount_counters import BY_TIME, TIMED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.domain.drift import Key, Values
    from app.service.recounts.latency import Shapes
    from app.store.recount_latencies import Of, Packed

_Rows: TypeAlias = list[tuple[str, str, int, bytes]]


def look(core: Core, start: int) -> Found:
    """Compares a day with its hours in one snapshot (reads their cells, no task).

    Of histograms it reads some 60 of each hour where a dimension has 40 values.
    """
    day = Span(grain="day", start=start, end=start + DAY_US)
    hours = Span(grain="hour", start=start, end=start + DAY_US)
    with snapshot(core) as now:
        expected = {one: recount_counters.of_span(now.conn, one, hours) for one in TIMED}
        got = {one: recount_counters.of_span(now.conn, one, day) for one in TIMED}
        tried, are_some_empty = attempts.of_day(now.conn, day)
        is_over = start + DAY_US + GRACE_US <= now.moment.at and _is_checked(now.conn, start)
        made_of = recount_latencies.of_span(now.conn, hours) if is_over else []
        kept = recount_latencies.of_start(now.conn, "day", start) if is_over else {}
    when = words.period("day", start)
    differences = [
        difference
        for place in TIMED
        for difference in cells.in_span(place, day, expected[place], got[place])
    ]
    judged = Judged()
    if is_over:
        is_sure = all(one.cell is not None for one in differences)
        judged = _judged(when, kept, made_of, expected["stat_cube"] if is_sure else None)
    return Found(
        scope=Scope(parts=tuple((place, f"{when} ") for place in (*BY_TIME, PLACE))),
        moment=now.moment,
        differences=(*differences, *tried, *judged.differences),
        empty=(
            *(place for place in TIMED if cells.has_empty(got[place])),
            *([attempts.PLACE] if are_some_empty else []),
        ),
        fixed={"grain": "day", "start": start},
        latencies=Written(
            grain="day", start=start, fresh=judged.fresh, mended=judged.mended, made_of=made_of
        ),
    )


def _is_checked(conn: Connection, start: int) -> bool:
    """Whether every hour of a day in which a task ended was counted anew."""
    hours = recount_counters.starts(conn, "stat_period", "hour", start, start + DAY_US)
    hours += recount_rows.hours(conn, start, start + DAY_US)
    return set(hours) <= recount_results.checked_among(conn, start, start + DAY_US)


def _judged(
    when: str, kept: "Packed", made_of: _Rows, counted: "Mapping[Key, Values] | None"
) -> Judged:
    """The histograms that are kept of a day, by those of its hours, where these are of all tasks.

    Args:
        when: The day in words.
        kept: What is kept.
        made_of: What is kept of its hours.
        counted: What its hours count; None: it contradicts the day in what was removed.
    """
    known = None if counted is None else latency.known(counted)
    added = _added(made_of)
    whole = frozenset(of for of, one in (known or {}).items() if added.get(of, (0,))[0] == one.n)
    return judge(
        Case(
            when=when,
            kept=kept,
            exact={of: (n, pack(found)) for of, (n, found) in added.items() if of in whole},
            whole=whole,
            known=known,
            follows=False,
        )
    )


def _added(rows: _Rows) -> "dict[Of, tuple[int, Shapes]]":
    """Histograms of hours added up, those that are damaged left out."""
    by_value: dict[Of, list[tuple[int, Shapes]]] = {}
    for dimension, value, n, packed in rows:
        found = readable(packed)
        if found is not None and is_of(found, n):
            by_value.setdefault((dimension, value), []).append((n, found))
    return {of: _sum(hours) for of, hours in by_value.items()}


def _sum(hours: "Sequence[tuple[int, Shapes]]") -> "tuple[int, Shapes]":
    found = {one: merged([shapes[one] for _, shapes in hours]) for one in MEASURES}
    return sum(n for n, _ in hours), found
