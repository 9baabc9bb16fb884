"""Tasks and requests counted anew, to compare with what triggers count."""

from sqlalchemy import Connection, func, select

from app.store.tables import submission_table, task_table


def tasks_by_status(conn: Connection) -> dict[str, int]:
    """Tasks by status, canaries left out (a scan of the whole table)."""
    statement = (
        select(task_table.c.status, func.count())
        .where(task_table.c.source != "canary")
        .group_by(task_table.c.status)
    )
    return {status: int(n) for status, n in conn.execute(statement)}


def requests_by_disposition(conn: Connection) -> dict[str, int]:
    """Requests by what became of them, canaries' left out (a scan of the whole table)."""
    statement = (
        select(submission_table.c.disposition, func.count())
        .where(submission_table.c.source != "canary")
        .group_by(submission_table.c.disposition)
    )
    return {disposition: int(n) for disposition, n in conn.execute(statement)}
