"""Totals kept by triggers: read in the snapshot of the caller, at a cost that does not grow."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from app.store.tables import stat_task_table, stat_text_table


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusTotal:
    """How many tasks have a status, and their summed run time in milliseconds."""

    n: int
    run_ms: int


def tasks_by_status(conn: Connection) -> dict[str, StatusTotal]:
    """Totals of tasks by status (at most 64 shards x 6 rows are read)."""
    t = stat_task_table.c
    statement = select(t.status, func.sum(t.n), func.sum(t.run_ms)).group_by(t.status)
    return {
        status: StatusTotal(n=int(n), run_ms=int(run_ms))
        for status, n, run_ms in conn.execute(statement)
    }


def texts_by_state(conn: Connection) -> dict[str, int]:
    """Totals of live texts by state (at most 64 shards x 6 rows are read)."""
    t = stat_text_table.c
    statement = select(t.state, func.sum(t.n)).group_by(t.state)
    return {state: int(n) for state, n in conn.execute(statement)}
