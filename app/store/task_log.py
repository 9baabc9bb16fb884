"""Log lines of tasks: added, bounded, read by key."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from app.domain.records import LogLineRecord
from app.store.rows import records
from app.store.tables import task_log_table, task_table

_L = task_log_table.c
#: Built once: building a statement costs more than SQLite takes to run it.
_INSERT = insert(task_log_table)
_HOLD = (
    select(task_table.c.trace_id)
    .where(task_table.c.id == bindparam("task_id"))
    .with_for_update(key_share=True)
)
_OF_TASK = _L.task_id == bindparam("of_task")
_OLDEST_TOO_MANY = (
    select(_L.id).where(_OF_TASK).order_by(_L.id.desc()).limit(1).offset(bindparam("keep"))
)
_PRUNE = delete(task_log_table).where(_OF_TASK, _L.id <= _OLDEST_TOO_MANY.scalar_subquery())


def hold(conn: Connection, task_id: int) -> str | None:
    """Holds a task's row and returns its trace id; None for no such task (primary key).

    Who holds it commits lines in the order of their ids: a reader that goes on after the last id
    that it saw misses none.
    """
    trace_id: str | None = conn.execute(_HOLD, {"task_id": task_id}).scalar()
    return trace_id


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes lines of tasks whose rows are held."""
    conn.execute(_INSERT, rows)


def prune(conn: Connection, task_id: int, keep: int) -> None:
    """Removes all but the newest `keep` lines of a task (index ix_task_log_task)."""
    conn.execute(_PRUNE, {"of_task": task_id, "keep": keep})


def page(
    conn: Connection,
    task_id: int,
    *,
    after_id: int,
    level: int,
    attempt: int | None,
    limit: int,
) -> list[LogLineRecord]:
    """A task's lines after an id, oldest first, from a level on (index ix_task_log_task)."""
    wanted = _wanted(task_id, level, attempt)
    statement = select(task_log_table).where(*wanted, _L.id > after_id).order_by(_L.id)
    return records(LogLineRecord, conn.execute(statement.limit(limit)))


def newest(
    conn: Connection, task_id: int, *, level: int, attempt: int | None, limit: int
) -> list[LogLineRecord]:
    """The last lines of a task, oldest first, from a level on (index ix_task_log_task)."""
    wanted = _wanted(task_id, level, attempt)
    statement = select(task_log_table).where(*wanted).order_by(_L.id.desc()).limit(limit)
    return records(LogLineRecord, conn.execute(statement))[::-1]


def _wanted(task_id: int, level: int, attempt: int | None) -> list[Any]:
    is_of_attempt = [] if attempt is None else [_L.attempt == attempt]
    return [_L.task_id == task_id, _L.level >= level, *is_of_attempt]


def count(conn: Connection, task_id: int) -> int:
    """How many lines of a task there are (index ix_task_log_task)."""
    statement = select(func.count()).where(_L.task_id == task_id)
    return conn.execute(statement).scalar_one()


def last_ids(conn: Connection, task_ids: Sequence[int]) -> dict[int, int]:
    """The id of the last line of each task that has one (index ix_task_log_task)."""
    statement = (
        select(_L.task_id, func.max(_L.id).label("last"))
        .where(_L.task_id.in_(task_ids))
        .group_by(_L.task_id)
    )
    return {row.task_id: row.last for row in conn.execute(statement)}
