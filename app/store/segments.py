"""Segment rows: the checkpoints of a task."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from app.domain.records import SegmentRecord
from app.store.rows import record, records
from app.store.tables import segment_table

_G = segment_table.c


def insert_waiting(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts a batch of segments."""
    conn.execute(insert(segment_table), [dict(row) for row in rows])


def count(conn: Connection, task_id: int) -> int:
    """How many segments a task has (primary key)."""
    return conn.execute(select(func.count()).where(_G.task_id == task_id)).scalar_one()


def of_task(conn: Connection, task_id: int) -> list[SegmentRecord]:
    """Every segment of a task, in the order of the text (primary key)."""
    statement = select(segment_table).where(_G.task_id == task_id).order_by(_G.idx)
    return records(SegmentRecord, conn.execute(statement))


def outline(conn: Connection, task_id: int) -> list[SegmentRecord]:
    """As `of_task`, without the marks (which are most of a segment's bytes)."""
    columns = [column for column in segment_table.c if column.name != "marks"]
    statement = (
        select(*columns, text("NULL AS marks")).where(_G.task_id == task_id).order_by(_G.idx)
    )
    return records(SegmentRecord, conn.execute(statement))


def finish(conn: Connection, task_id: int, idx: int, values: Mapping[str, Any]) -> None:
    """Commits a segment (`status` done, what was made and where it lies)."""
    conn.execute(update(segment_table).where(_G.task_id == task_id, _G.idx == idx).values(**values))


def count_try(conn: Connection, task_id: int, idx: int) -> None:
    """Counts one more try at a segment."""
    conn.execute(
        update(segment_table).where(_G.task_id == task_id, _G.idx == idx).values(tries=_G.tries + 1)
    )


def reset(conn: Connection, task_id: int, indexes: Sequence[int]) -> None:
    """Takes back segments whose files are gone: they are made again."""
    conn.execute(
        update(segment_table)
        .where(_G.task_id == task_id, _G.idx.in_(indexes))
        .values(status="waiting", storage_key=None, finished_at=None)
    )


def made_before(conn: Connection, input_hash: str) -> SegmentRecord | None:
    """A segment with the same input that was made for another task (ix_segment_input_hash)."""
    statement = (
        select(segment_table).where(_G.input_hash == input_hash, text("status = 'done'")).limit(1)
    )
    return record(SegmentRecord, conn.execute(statement).first())


def place(conn: Connection, task_id: int, offsets_ms: Mapping[int, int]) -> None:
    """Notes where in the finished audio each segment begins."""
    statement = text(
        "UPDATE segment SET offset_ms = :offset_ms WHERE task_id = :task_id AND idx = :idx"
    )
    rows = [
        {"task_id": task_id, "idx": idx, "offset_ms": offset} for idx, offset in offsets_ms.items()
    ]
    if rows:
        conn.execute(statement, rows)
