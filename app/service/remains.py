"""Remains: process groups of this host that go on although their attempt was taken from them."""

from app import process
from app.domain.records import AttemptRecord
from app.logs.about import about
from app.logs.logger import logger_of
from app.service.core import Core
from app.store import attempts, tasks, workers

log = logger_of(__name__)

#: Microseconds back in which an attempt must have ended to be looked at.
_WINDOW_US = 3_600_000_000


def kill_groups(core: Core) -> int:
    """Kills the groups of this host's attempts that ended without their process; returns how many.

    A group is only killed where its leader is the very process that the row names, or where the
    leader is gone and its worker is dead; the mark in the members' environment tells them apart
    from a group that took the number since.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        rows = attempts.ended_on_host(conn, core.host, now - _WINDOW_US)
        ends = {row.worker_id: workers.get(conn, row.worker_id) for row in rows}
    killed = 0
    for row in rows:
        if row.pid is None or not process.group_members(row.pid):
            continue
        worker = ends[row.worker_id]
        is_worker_gone = worker is None or not process.is_alive(worker.pid, worker.pid_ticks)
        is_same_leader = process.start_ticks(row.pid) == row.pid_ticks
        if is_worker_gone or is_same_leader:
            killed += _kill(core, row, row.pid)
    return killed


def _kill(core: Core, row: AttemptRecord, pid: int) -> bool:
    """Kills what an attempt left running, and says so in the log of its task."""
    killed = process.kill_group(pid, row.pid_ticks, mark=process.own_mark())
    if killed:
        with core.database.read() as conn:
            task = tasks.get(conn, row.task_id)
        trace_id = task.trace_id if task is not None else None
        with about(
            task_id=row.task_id, attempt=row.attempt, trace_id=trace_id, span_id=row.span_id
        ):
            log.warning("killed what the attempt had left running", group=pid)
    return killed
