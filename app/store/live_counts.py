"""Tasks, requests and attempts counted anew, to compare with what triggers count."""

from typing import Final

from sqlalchemy import Connection, func, select

from app.store.counted_attempts import COUNTED
from app.store.tables import (
    attempt_table,
    stat_attempt_table,
    stat_profile_table,
    submission_table,
    task_table,
)


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


def attempts_by_failure(conn: Connection) -> dict[str, int]:
    """Attempts that count and are there, by whether they failed (a scan of the whole table)."""
    failed = attempt_table.c.outcome != "completed"
    statement = (
        select(failed, func.count()).select_from(attempt_table).where(COUNTED).group_by(failed)
    )
    return {_FAILED[bool(is_failure)]: int(n) for is_failure, n in conn.execute(statement)}


def counted_attempts_by_failure(conn: Connection) -> dict[str, int]:
    """The same by the days of the cube (primary keys; reads every day)."""
    cells = stat_attempt_table.c
    failed = stat_profile_table.c.failure != ""
    statement = (
        select(failed, func.sum(cells.n))
        .join_from(
            stat_attempt_table, stat_profile_table, stat_profile_table.c.id == cells.profile_id
        )
        .where(cells.grain == "day", cells.archived == 0)
        .group_by(failed)
    )
    return {_FAILED[bool(is_failure)]: int(n) for is_failure, n in conn.execute(statement)}


_FAILED: Final = {False: "completed", True: "failed"}
