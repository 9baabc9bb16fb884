"""Adopt: what lived when a file was made is made fit to go on here; and what differs is told.

Nobody works on the rows any more: their workers have ended, their attempts have no process. The
time since the export counts against no limit, for nothing could run then.
"""

from collections import Counter

from app.domain.backup import Manifest
from app.service.core import Core
from app.service.leader import LEADER
from app.store import (
    attempts,
    duties,
    foreign_rows,
    live_counts,
    recount_counters,
    recount_rows,
    tasks,
    totals,
)
from app.store import workers as worker_store
from app.store.database import Connection

#: A moment after every heartbeat.
_NEVER = 2**62


def adopt(core: Core, conn: Connection, manifest: Manifest) -> int:
    """Ends what worked there, and moves limits by the time since the export.

    Returns:
        How many tasks ran; the reaper gives them back.
    """
    now = core.database.now_us(conn)
    pause_us = max(0, now - manifest.made_at)
    worker_store.end_stale(conn, _NEVER, now, "the database was imported from a backup file")
    leader = duties.get(conn, LEADER)
    if leader is not None:
        duties.release(conn, LEADER, leader.holder, now)
    foreign_rows.forget_processes(conn)
    foreign_rows.move_give_up(conn, pause_us)
    tasks.move_deadlines(conn, pause_us, now)
    attempts.move_deadline(conn, pause_us)
    return tasks.count_processing(conn)


def drifts(conn: Connection) -> tuple[str, ...]:
    """Where the file's counters and its rows differ; what was removed aside."""
    live = {one.status: one.sums.n for one in totals.of_tasks(conn) if not one.is_archived}
    counted = recount_counters.of_all(conn, "stat_submission")
    asked: Counter[str] = Counter()
    for (archived, disposition, _), (n, *_) in counted.items():
        asked[disposition] += 0 if archived else n
    pairs = (
        ("tasks", live, live_counts.tasks_by_status(conn)),
        ("requests", asked, live_counts.requests_by_disposition(conn)),
        (
            "attempts",
            live_counts.counted_attempts_by_failure(conn),
            live_counts.attempts_by_failure(conn),
        ),
        ("texts", totals.texts_by_state(conn), recount_rows.texts_by_state(conn)),
    )
    return tuple(
        f"{what} {state}: the counters say {said.get(state, 0)}, the rows {found.get(state, 0)}"
        for what, said, found in pairs
        for state in sorted({*said, *found})
        if said.get(state, 0) != found.get(state, 0)
    )
