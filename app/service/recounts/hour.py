"""One hour counted anew: its tasks against the cube and the hour's sums, its requests too."""

from app.domain.drift import Scope
from app.domain.window import HOUR_US, Span
from app.service.core import Core
from app.service.recounts import cells, words
from app.service.recounts.counted import count
from app.service.recounts.found import GRACE_US, Found, OfHour, snapshot
from app.store import recount_counters, recount_latencies, recount_rows
from app.store.recount_counters import TIMED


def look(core: Core, start: int) -> Found:
    """Counts an hour anew in one snapshot; what is archived is compared among the counters.

    Reads every task that ended in it and every request that was made in it, once: 5 000 of each
    take some 60 ms. Right for an hour that still goes on, too.
    """
    span = Span(grain="hour", start=start, end=start + HOUR_US)
    with snapshot(core) as now:
        rows = recount_rows.ended(now.conn, span.start, span.end)
        asked = recount_rows.requests(now.conn, span.start, span.end)
        got = {one: recount_counters.of_span(now.conn, one, span) for one in TIMED}
        kept = recount_latencies.of_start(now.conn, "hour", start)
    counted = count(rows)
    removed = cells.removed(got["stat_cube"])
    gone = cells.removed(got["stat_submission"])
    wanted = {**counted.cells, **removed}
    expected = {
        "stat_period": cells.added(wanted, 2),
        "stat_cube": wanted,
        "stat_submission": {**asked, **gone},
    }
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
        requests=sum(values[0] for values in asked.values()),
        differences=(
            *(
                one
                for place in TIMED
                for one in cells.in_span(place, span, expected[place], got[place])
            ),
            *cells.below_zero("stat_cube", when, removed),
            *cells.below_zero("stat_submission", when, gone),
        ),
        empty=tuple(place for place in TIMED if cells.has_empty(got[place])),
        fixed={"grain": "hour", "start": start},
        hour=OfHour(start=start, latencies=latencies) if is_closed else None,
    )
