"""Live rows that came from elsewhere, made fit for this database; a few rows, whatever its size."""

from sqlalchemy import Connection, text, update

from app.store.tables import attempt_table, task_table

# literals in the SQL: partial indexes are taken only so
_LIVES = text("task.status IN ('pending', 'processing')")
_OPEN = text("task_attempt.finished_at IS NULL")


def move_give_up(conn: Connection, pause_us: int) -> int:
    """Moves the end of waiting of tasks that live (ux_task_content_live); returns how many."""
    statement = (
        update(task_table).where(_LIVES).values(give_up_at=task_table.c.give_up_at + pause_us)
    )
    return conn.execute(statement).rowcount


def forget_processes(conn: Connection) -> None:
    """Forgets which processes run open attempts (ix_task_attempt_open): they are none of ours.

    On the host that the rows came from, such a number may be a process that runs on there.
    """
    conn.execute(update(attempt_table).where(_OPEN).values(pid=None, pid_ticks=None))
