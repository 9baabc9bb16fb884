"""Canary rows: tasks of our own that went the whole way, and how far each came."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from app.domain.records import CanaryRecord
from app.store.rows import record, records
from app.store.tables import canary_table, task_table

_C = canary_table.c


def insert_canary(conn: Connection, values: Mapping[str, Any]) -> None:
    """Inserts a canary."""
    conn.execute(insert(canary_table).values(**values))


def change(conn: Connection, canary_id: int, values: Mapping[str, Any]) -> None:
    """Moves a canary that is not over (primary key)."""
    statement = update(canary_table).where(_C.id == canary_id, _C.finished_at.is_(None))
    conn.execute(statement.values(**values))


def newest(conn: Connection) -> CanaryRecord | None:
    """The canary that began last, over or not (primary key)."""
    statement = select(canary_table).order_by(_C.id.desc()).limit(1)
    return record(CanaryRecord, conn.execute(statement).first())


def latest(conn: Connection, limit: int) -> list[CanaryRecord]:
    """The canaries that began last, newest first (primary key)."""
    statement = select(canary_table).order_by(_C.id.desc()).limit(limit)
    return records(CanaryRecord, conn.execute(statement))


def keep_last(conn: Connection, count: int) -> None:
    """Removes all but the `count` canaries that began last (primary key)."""
    oldest_kept = select(_C.id).order_by(_C.id.desc()).limit(1).offset(count - 1).scalar_subquery()
    conn.execute(delete(canary_table).where(_C.id < oldest_kept))


def old_tasks(conn: Connection, before: int, limit: int) -> list[tuple[int, int]]:
    """(task id, text id) of canaries' tasks that ended before a moment (index ix_task_canary)."""
    # a literal in the SQL: SQLite takes a partial index only so
    statement = (
        select(task_table.c.id, task_table.c.text_id)
        .where(text("task.source = 'canary'"), task_table.c.finished_at < before)
        .order_by(task_table.c.id)
        .limit(limit)
    )
    return [(row.id, row.text_id) for row in conn.execute(statement)]
