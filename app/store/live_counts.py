"""Tasks counted anew, to compare with what triggers count."""

from sqlalchemy import Connection, func, select

from app.store.tables import task_table


def tasks_by_status(conn: Connection) -> dict[str, int]:
    """Tasks by status, canaries left out (a scan of the whole table)."""
    statement = (
        select(task_table.c.status, func.count())
        .where(task_table.c.source != "canary")
        .group_by(task_table.c.status)
    )
    return {status: int(n) for status, n in conn.execute(statement)}
