"""Totals against what they are made of: days, living tasks, the ledger of what was removed.

All of it is cheap: no ended task is read.
"""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Final

from app.domain.drift import LEDGER, Difference, Drift, Key, Scope, Values
from app.domain.histogram import MEASURES
from app.domain.sums import Sums
from app.domain.task import LIVE, Status
from app.service.core import Core
from app.service.recounts import cells, words
from app.service.recounts.found import Found, Snapshot, keep, snapshot
from app.store import archive, recount_counters, recount_results, recount_rows, trigger_state
from app.store.database import Connection
from app.store.trigger_state import Fault

#: The place of a trigger that does not fire, or does something else.
TRIGGERS: Final = "trigger"
_REQUESTS: Final = "stat_submission"
_SUM, _LEAST = "sum of", "at least 0:"
_SCOPE: Final = Scope(
    parts=(
        ("stat_total", ""),
        ("stat_hist", f"{_SUM} "),
        (_REQUESTS, f"{words.ALL_TIME} "),
        *((place, f"{_LEAST} ") for place in ("stat_hist", "stat_text")),
        (TRIGGERS, ""),
        (LEDGER, ""),
    )
)


def look(core: Core) -> Found:
    """Compares in one snapshot; also that every trigger counts, and that nothing is below zero."""
    with snapshot(core) as now:
        totals = recount_counters.whole(now.conn, "stat_total")
        buckets = recount_counters.whole(now.conn, "stat_hist")
        requests = recount_counters.of_all(now.conn, _REQUESTS)
        differences = (
            *of_triggers(trigger_state.faults(now.conn)),
            *cells.timeless("stat_total", _wanted(now), totals),
            *_histograms(totals, buckets),
            *_ledger(totals, archive.by_status(now.conn)),
            *cells.in_all_time(_REQUESTS, recount_counters.of_days(now.conn, _REQUESTS), requests),
            *cells.below_zero("stat_hist", _LEAST, buckets),
            *cells.below_zero("stat_text", _LEAST, recount_counters.whole(now.conn, "stat_text")),
        )
    return Found(
        scope=_SCOPE,
        moment=now.moment,
        differences=differences,
        empty=(_REQUESTS,) if cells.has_empty(requests) else (),
        fixed={"grain": "all"},
    )


def below_zero(conn: Connection) -> list[Drift]:
    """Counts of tasks and texts of all time that are below zero."""
    return [
        drift
        for place in ("stat_total", "stat_text")
        for one in cells.below_zero(place, _LEAST, recount_counters.whole(conn, place))
        for drift in one.drifts(None)
        if drift.name.endswith(" n")
    ]


def watch(core: Core) -> Found | None:
    """Looks at triggers alone, and writes down what is news; None: nothing is.

    One statement of the catalogue, and one of what is known.
    """
    with snapshot(core) as now:
        faults = trigger_state.faults(now.conn)
        told = recount_results.names_of(now.conn, TRIGGERS)
    found = Found(
        scope=Scope(parts=((TRIGGERS, ""),)),
        moment=now.moment,
        differences=tuple(of_triggers(faults)),
    )
    if {one.name for one in found.drifts} == told:
        return None
    keep(core, found)
    return found


def of_triggers(faults: Mapping[str, Fault]) -> list[Difference]:
    """Triggers that do not count as they must."""
    return [
        Difference(
            place=TRIGGERS,
            name=name,
            columns=("unchanged" if fault == "changed" else "fires",),
            expected=(1,),
            got=(0,),
        )
        for name, fault in faults.items()
    ]


def _wanted(now: Snapshot) -> dict[Key, Values]:
    """Tasks that have ended by their days, those that live by their rows."""
    wanted = recount_counters.of_days(now.conn, "stat_period")
    for status in LIVE:
        n, char_count = recount_rows.live(now.conn, status)
        wanted[0, str(status)] = astuple(Sums(n=n, char_count=char_count))
    return wanted


def _histograms(totals: Mapping[Key, Values], buckets: Mapping[Key, Values]) -> list[Difference]:
    """Each histogram holds every completed task once; bucket by bucket: `histogram`."""
    found = cells.added(buckets, 2)
    completed = {
        (archived, measure): (totals.get((archived, str(Status.COMPLETED)), (0,))[0],)
        for archived in (0, 1)
        for measure in MEASURES
    }
    return cells.told("stat_hist", _SUM, completed, found)


def _ledger(totals: Mapping[Key, Values], written: Mapping[str, Sums]) -> list[Difference]:
    """What retention wrote down against what was archived.

    A row that was deleted by hand is archived and not written down: all numbers are right, so it
    is noted only. Whatever else differs is drift.
    """
    removed = cells.removed(totals)
    ledger = {(1, status): astuple(sums) for status, sums in written.items()}
    differences = []
    for one in cells.told("stat_total", words.ALL_TIME, ledger, removed):
        is_note = one.got[0] > one.expected[0]
        differences.append(
            Difference(
                place=LEDGER,
                name=f"{one.name} beyond the ledger",
                columns=one.columns[:1],
                expected=one.expected[:1],
                got=one.got[:1],
            )
            if is_note
            else one
        )
    return differences
