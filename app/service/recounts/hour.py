"""One hour counted anew: its tasks against the cube and the hour's sums, requests and attempts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.domain.drift import Key, Scope, Values
from app.domain.window import HOUR_US, Span
from app.service.core import Core
from app.service.recounts import attempts, cells, latency, words
from app.service.recounts.counted import Counted, count
from app.service.recounts.found import GRACE_US, Found, snapshot
from app.service.recounts.latency import Case, Judged, Written, judge
from app.store import recount_counters, recount_latencies, recount_results, recount_rows
from app.store.recount_counters import TIMED

if TYPE_CHECKING:
    from app.store.recount_latencies import Packed


def look(core: Core, start: int) -> Found:
    """Counts an hour anew in one snapshot; what is archived is compared among the counters.

    Reads every task and attempt that ended in it and every request that was made in it, once:
    5 000 of each take some 80 ms. Right for an hour that still goes on, too.
    """
    span = Span(grain="hour", start=start, end=start + HOUR_US)
    with snapshot(core) as now:
        rows = recount_rows.ended(now.conn, span.start, span.end)
        asked = recount_rows.requests(now.conn, span.start, span.end)
        got = {one: recount_counters.of_span(now.conn, one, span) for one in TIMED}
        tried = attempts.read(now.conn, span)
        kept = recount_latencies.of_start(now.conn, "hour", start)
        before = recount_results.n_of_hour(now.conn, start)
    counted = count(rows)
    removed = cells.removed(got["stat_cube"])
    gone = cells.removed(got["stat_submission"])
    wanted = {**counted.cells, **removed}
    expected = {
        "stat_period": cells.added(wanted, 2),
        "stat_cube": wanted,
        "stat_submission": {**asked, **gone},
    }
    when = words.period("hour", start)
    said = {**got, attempts.PLACE: tried.cells}
    differences = [
        *(
            one
            for place in TIMED
            for one in cells.in_span(place, span, expected[place], got[place])
        ),
        *cells.below_zero("stat_cube", when, removed),
        *cells.below_zero("stat_submission", when, gone),
    ]
    is_closed = start + HOUR_US + GRACE_US <= now.moment.at
    judged = Judged()
    if is_closed:
        is_sure = all(one.cell is not None for one in differences)
        judged = _judged(when, kept, counted, wanted if is_sure else None, before=before)
    return Found(
        scope=Scope(start=start),
        moment=now.moment,
        n=counted.n,
        requests=sum(values[0] for values in asked.values()),
        attempts=tried.n,
        differences=(*differences, *tried.differences(), *judged.differences),
        empty=tuple(place for place, some in said.items() if cells.has_empty(some)),
        fixed={"grain": "hour", "start": start},
        is_closed_hour=is_closed,
        latencies=Written(grain="hour", start=start, fresh=judged.fresh, mended=judged.mended),
    )


def _judged(
    when: str,
    kept: "Packed",
    counted: Counted,
    wanted: Mapping[Key, Values] | None,
    *,
    before: int | None,
) -> Judged:
    """The histograms that are kept, by the tasks that are there.

    Args:
        when: The hour in words.
        kept: What is kept.
        counted: Its tasks.
        wanted: Cells of all that ended in it; None: what is archived contradicts itself.
        before: How many tasks were there when it was looked at last; None: it never was.
    """
    known = None if wanted is None else latency.known(wanted)
    whole = frozenset(of for of, one in (known or {}).items() if not one.removed)
    return judge(
        Case(
            when=when,
            kept=kept,
            exact={of: one for of, one in counted.latencies.items() if of in whole},
            whole=whole,
            known=known,
            follows=before != counted.n,
        )
    )
