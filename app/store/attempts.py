"""Attempt rows: one for each claim; who ran it, until when, and how it ended."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, literal, select, text, update

from app.domain.records import AttemptRecord
from app.store.rows import record, records
from app.store.tables import attempt_table, task_table

_A = attempt_table.c
_INSERT = insert(attempt_table).returning(attempt_table)
_FAILED_SO = (
    select(literal(1))
    .select_from(attempt_table.join(task_table, task_table.c.id == _A.task_id))
    .where(
        task_table.c.text_id == bindparam("text_id"),
        _A.fingerprint == bindparam("fingerprint"),
    )
    .limit(1)
)


def insert_claimed(conn: Connection, values: Mapping[str, Any]) -> AttemptRecord:
    """Writes the attempt that a claim has begun."""
    return records(AttemptRecord, conn.execute(_INSERT, values))[0]


def get(conn: Connection, task_id: int, attempt: int) -> AttemptRecord | None:
    """One attempt (primary key)."""
    statement = select(attempt_table).where(_A.task_id == task_id, _A.attempt == attempt)
    return record(AttemptRecord, conn.execute(statement).first())


def of_task(conn: Connection, task_id: int) -> list[AttemptRecord]:
    """Every attempt of a task, first to last (primary key)."""
    statement = select(attempt_table).where(_A.task_id == task_id).order_by(_A.attempt)
    return records(AttemptRecord, conn.execute(statement))


def begin(
    conn: Connection, task_id: int, attempt: int, *, pid: int, ticks: int | None, at: int
) -> None:
    """Notes the process that runs the attempt."""
    conn.execute(
        update(attempt_table)
        .where(_A.task_id == task_id, _A.attempt == attempt)
        .values(pid=pid, pid_ticks=ticks, begun_at=at)
    )


def end(
    conn: Connection, task_id: int, attempt: int, values: Mapping[str, Any]
) -> AttemptRecord | None:
    """Notes how the attempt ended (`outcome`, `finished_at`, what explains them); the row after it.

    None where it had ended before.
    """
    statement = (
        update(attempt_table)
        .where(_A.task_id == task_id, _A.attempt == attempt, _A.finished_at.is_(None))
        .values(**values)
        .returning(attempt_table)
    )
    return record(AttemptRecord, conn.execute(statement).first())


def has_failed_so(conn: Connection, text_id: int, fingerprint: str) -> bool:
    """Whether an attempt of a text has failed with this fingerprint (ix_task_text, primary key)."""
    values = {"text_id": text_id, "fingerprint": fingerprint}
    return conn.execute(_FAILED_SO, values).first() is not None


def flag(conn: Connection, task_id: int, attempt: int, at: int) -> None:
    """Notes that the attempt's deadline passed while it ran."""
    conn.execute(
        update(attempt_table)
        .where(_A.task_id == task_id, _A.attempt == attempt, _A.timed_out_at.is_(None))
        .values(timed_out_at=at)
    )


def move_deadline(conn: Connection, pause_us: int) -> None:
    """Moves the deadlines of open attempts with their tasks' (see `tasks.move_deadlines`)."""
    conn.execute(
        update(attempt_table)
        .where(_A.finished_at.is_(None), _A.timed_out_at.is_(None))
        .values(deadline_at=_A.deadline_at + pause_us)
    )


def ended_on_host(conn: Connection, host: str, since: int) -> list[AttemptRecord]:
    """Attempts of this host taken from their process since then (ix_task_attempt_taken).

    One whose own process gave the verdict, at its deadline, is none: that process runs others.
    """
    statement = select(attempt_table).where(
        text("outcome IN ('lost', 'timeout', 'cancelled', 'handed_back')"),
        _A.host == host,
        _A.finished_at >= since,
        _A.pid.is_not(None),
        _A.rebuilt_by.is_not(None),
    )
    return records(AttemptRecord, conn.execute(statement))


def settled_from_outside(conn: Connection, keys: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of `keys` (task id, attempt) whose span was rebuilt: another process ended them.

    By the primary key; of pairs SQLite makes no use of it.
    """
    statement = select(_A.task_id, _A.attempt).where(
        _A.task_id.in_({task_id for task_id, _ in keys}), _A.rebuilt_by.is_not(None)
    )
    found = [(row.task_id, row.attempt) for row in conn.execute(statement)]
    return [key for key in found if key in keys]
