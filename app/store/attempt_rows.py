"""Rows of a list of attempts, each with what it shows of its task and its text."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.domain.records import AttemptRecord
from app.store.rows import records
from app.store.tables import attempt_table, task_table, text_table

_A = attempt_table.c
_T = task_table.c


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt that may be listed.

    Attributes:
        title: Of the text of its task.
        trace_id: Of its task.
        trace_seen_at: When the whole trace was seen in Jaeger; None: it was not.
        task_ended_at: When its task ended; None: it has not.
    """

    attempt: AttemptRecord
    title: str
    trace_id: str
    trace_seen_at: int | None
    task_ended_at: int | None


def many(conn: Connection, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], AttemptRow]:
    """Attempts by task id and number, and perhaps some more (primary keys of the three tables)."""
    statement = (
        select(
            attempt_table,
            _T.trace_id.label("of_trace_id"),
            _T.trace_seen_at.label("of_seen_at"),
            _T.finished_at.label("of_ended_at"),
            text_table.c.title.label("of_title"),
        )
        .join(task_table, _T.id == _A.task_id)
        .join(text_table, text_table.c.id == _T.text_id)
        # for pairs of both SQLite walked through the whole table
        .where(
            _A.task_id.in_({task_id for task_id, _ in keys}),
            _A.attempt.in_({attempt for _, attempt in keys}),
        )
    )
    rows = conn.execute(statement).all()
    return {
        (attempt.task_id, attempt.attempt): AttemptRow(
            attempt=attempt,
            title=row.of_title,
            trace_id=row.of_trace_id,
            trace_seen_at=row.of_seen_at,
            task_ended_at=row.of_ended_at,
        )
        for attempt, row in zip(records(AttemptRecord, rows), rows, strict=True)
    }
