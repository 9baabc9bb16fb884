"""One hour counted anew: its rows against the cube, and the sums of the hour against both."""

from app.domain.drift import Scope
from app.domain.window import HOUR_US, Span
from app.service.core import Core
from app.service.recounts import cells, words
from app.service.recounts.counted import count
from app.service.recounts.found import GRACE_US, Found, OfHour, snapshot
from app.store import recount_counters, recount_latencies, recount_rows


def look(core: Core, start: int) -> Found:
    """Counts an hour anew in one snapshot; what is archived is compared among the counters.

    Reads every task that ended in it, once: 5 000 take some 50 ms. Right for an hour that still
    goes on, too.
    """
    span = Span(grain="hour", start=start, end=start + HOUR_US)
    with snapshot(core) as now:
        rows = recount_rows.ended(now.conn, span.start, span.end)
        cube = recount_counters.of_span(now.conn, "stat_cube", span)
        period = recount_counters.of_span(now.conn, "stat_period", span)
        requests = recount_counters.of_span(now.conn, "stat_submission", span)
        kept = recount_latencies.of_start(now.conn, "hour", start)
    counted = count(rows)
    removed = cells.removed(cube)
    wanted = {**counted.cells, **removed}
    # rows that are gone are in the histograms that were made of them, and nowhere else
    is_whole = not any(values[0] for values in removed.values()) or not kept
    latencies = counted.latencies if is_whole and counted.latencies != kept else None
    is_closed = start + HOUR_US + GRACE_US <= now.at
    when = words.period("hour", start)
    return Found(
        scope=Scope(start=start),
        at=now.at,
        turn=now.turn,
        n=counted.n,
        differences=(
            *cells.in_span("stat_period", span, cells.added(wanted, 2), period),
            *cells.in_span("stat_cube", span, wanted, cube),
            *cells.below_zero("stat_cube", when, removed),
            *cells.below_zero("stat_submission", when, requests),
        ),
        empty=tuple(
            place
            for place, found in (("stat_period", period), ("stat_cube", cube))
            if cells.has_empty(found)
        ),
        fixed={"grain": "hour", "start": start},
        hour=OfHour(start=start, latencies=latencies) if is_closed else None,
    )
