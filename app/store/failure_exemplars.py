"""Attempts of a failure group that are worth a look: the newest, the first, the slowest."""

from typing import Any, Final

from sqlalchemy import Connection, Select, select

from app.store.counted_attempts import GROUPED
from app.store.tables import attempt_table, task_table, text_table

_A: Final = attempt_table.c
_T: Final = task_table.c

#: An attempt: task id and number.
Key = tuple[int, int]


def newest(conn: Connection, fingerprint: str) -> Key | None:
    """The attempt that failed so last (index ix_task_attempt_fingerprint, one entry)."""
    return _first_of(conn, _of(fingerprint).order_by(_A.finished_at.desc()))


def first(conn: Connection, fingerprint: str) -> Key | None:
    """The first one that is kept (index ix_task_attempt_fingerprint, one entry)."""
    return _first_of(conn, _of(fingerprint).order_by(_A.finished_at))


def slowest(conn: Connection, fingerprint: str, among: int) -> Key | None:
    """The one that ran longest of so many newest (ix_task_attempt_fingerprint; reads each)."""
    rows = (
        _of(fingerprint)
        .add_columns((_A.finished_at - _A.claimed_at).label("took"))
        .order_by(_A.finished_at.desc())
        .limit(among)
        .subquery()
    )
    statement = select(rows.c.task_id, rows.c.attempt).order_by(rows.c.took.desc())
    return _first_of(conn, statement)


def get(conn: Connection, task_id: int, attempt: int) -> dict[str, Any] | None:
    """What is shown of an attempt, with its text's title and its trace (primary keys)."""
    statement = (
        select(
            _A.task_id,
            _A.attempt,
            _T.text_id,
            text_table.c.title,
            _A.finished_at.label("at"),
            (_A.finished_at - _A.claimed_at).label("dur_us"),
            _A.outcome,
            _A.worker_name.label("worker"),
            _A.engine,
            _A.voice,
            _A.release,
            _A.char_count,
            _A.error_message,
            _T.trace_id,
            _A.span_id,
            _T.trace_seen_at,
            _T.finished_at.label("task_ended_at"),
        )
        .select_from(attempt_table.join(task_table, _T.id == _A.task_id))
        .outerjoin(text_table, text_table.c.id == _T.text_id)
        .where(_A.task_id == task_id, _A.attempt == attempt)
    )
    row = conn.execute(statement).first()
    return None if row is None else dict(row._mapping)


def _of(fingerprint: str) -> Select[Any]:
    return select(_A.task_id, _A.attempt).where(GROUPED, _A.fingerprint == fingerprint)


def _first_of(conn: Connection, statement: Select[Any]) -> Key | None:
    row = conn.execute(statement.limit(1)).first()
    return None if row is None else (row.task_id, row.attempt)
