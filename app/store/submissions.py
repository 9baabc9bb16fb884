"""Submission rows: each accepted request, what became of it, and its idempotency key."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.records import SubmissionRecord
from app.store.rows import record, records
from app.store.tables import submission_table

_S = submission_table.c
_FREED = {"idempotency_key": None, "request_hash": None}
_INSERTS = {
    name: dialect.insert(submission_table).on_conflict_do_nothing().returning(_S.id)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


def insert_submission(conn: Connection, values: Mapping[str, Any]) -> int | None:
    """Inserts a submission and returns its id; None where its idempotency key is taken.

    On PostgreSQL it waits for a concurrent insert of the same key to commit.
    """
    return conn.execute(_INSERTS[conn.dialect.name], values).scalar_one_or_none()


def of_key(conn: Connection, idempotency_key: str, *, after: int) -> SubmissionRecord | None:
    """The submission that used an idempotency key, if that was after a moment (unique index)."""
    statement = select(submission_table).where(
        _S.idempotency_key == idempotency_key, _S.created_at > after
    )
    return record(SubmissionRecord, conn.execute(statement).first())


def free_key(conn: Connection, idempotency_key: str, *, until: int) -> None:
    """Takes a key from the submission that used it up to a moment (unique index).

    On PostgreSQL it waits for whoever does the same, and then finds nothing to do.
    """
    statement = update(submission_table).where(
        _S.idempotency_key == idempotency_key, _S.created_at <= until
    )
    conn.execute(statement.values(_FREED))


def old_keys(conn: Connection, *, until: int, limit: int) -> list[int]:
    """Ids of submissions with a key that was used up to a moment, oldest first.

    Index ix_submission_key: reads as many entries as it returns.
    """
    statement = (
        select(_S.id)
        .where(_S.idempotency_key.is_not(None), _S.created_at <= until)
        .order_by(_S.created_at)
        .limit(limit)
    )
    return list(conn.execute(statement).scalars())


def free_keys(conn: Connection, submission_ids: Sequence[int]) -> int:
    """Takes the keys from these submissions (primary key); returns how many had one."""
    statement = update(submission_table).where(
        _S.id.in_(submission_ids), _S.idempotency_key.is_not(None)
    )
    return conn.execute(statement.values(_FREED)).rowcount


def cancel_of_text(conn: Connection, text_id: int, now: int) -> int:
    """Cancels a text's open submissions (index ix_submission_text); returns how many."""
    statement = (
        update(submission_table)
        .where(_S.text_id == text_id, _S.cancelled_at.is_(None))
        .values(cancelled_at=now)
    )
    return conn.execute(statement).rowcount


def count_open(conn: Connection, task_id: int) -> int:
    """Submissions that still want a task (index ix_submission_task)."""
    statement = select(func.count()).where(_S.task_id == task_id, _S.cancelled_at.is_(None))
    return conn.execute(statement).scalar_one()


def of_task(conn: Connection, task_id: int) -> list[SubmissionRecord]:
    """Every submission that a task answers, oldest first (index ix_submission_task)."""
    statement = select(submission_table).where(_S.task_id == task_id).order_by(_S.id)
    return records(SubmissionRecord, conn.execute(statement))
