"""Event rows: what happened to a task, in order, and who did it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from app.domain.records import EventRecord
from app.store.rows import records
from app.store.tables import event_table

#: Built once: building a statement costs more than SQLite takes to run it.
_INSERT = insert(event_table)


def add(conn: Connection, values: Mapping[str, Any]) -> None:
    """Writes one event."""
    conn.execute(_INSERT, values)


def of_task(conn: Connection, task_id: int) -> list[EventRecord]:
    """A task's events, oldest first (index ix_event_task)."""
    statement = (
        select(event_table).where(event_table.c.task_id == task_id).order_by(event_table.c.id)
    )
    return records(EventRecord, conn.execute(statement))
