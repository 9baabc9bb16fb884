"""Reads of retention: what has had its time, and what holds it; and the locks of what goes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, or_, select, text, tuple_

from app.domain.task import Status
from app.store.rows import records
from app.store.tables import audio_table, stat_check_table, submission_table, task_table, text_table

_T = task_table.c
_X = text_table.c
_S = submission_table.c
_C = stat_check_table.c


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedTask:
    """A task as retention looks at it; `finished_at` is None while it lives."""

    id: int
    text_id: int
    status: str
    source: str
    submitted_at: int
    finished_at: int | None
    segment_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedText:
    """A text that was deleted; `task_id` answers for it."""

    id: int
    deleted_at: int
    task_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A task answers for a text; `deleted_at` is the text's."""

    task_id: int
    text_id: int
    deleted_at: int | None


def ended(
    conn: Connection, status: Status, *, before: int, after: tuple[int, int], limit: int
) -> list[AgedTask]:
    """Tasks of a final status that were submitted before a moment, canaries left out.

    Those with (submitted_at, id) above `after`, in that order. Index ix_task_<status>: reads as
    many entries as it returns.
    """
    # literals in the SQL: SQLite takes a partial index only so
    statement = (
        _aged()
        .where(
            text(f"task.status = '{status.value}' AND task.source <> 'canary'"),
            _T.submitted_at < before,
            tuple_(_T.submitted_at, _T.id) > after,
        )
        .order_by(_T.submitted_at, _T.id)
        .limit(limit)
    )
    return records(AgedTask, conn.execute(statement))


def of_texts(conn: Connection, text_ids: Iterable[int]) -> list[AgedTask]:
    """Every task that was made for these texts, living ones too (ix_task_text)."""
    statement = _aged().where(_T.text_id.in_(list(text_ids))).order_by(_T.id)
    return records(AgedTask, conn.execute(statement))


def hold_tasks(conn: Connection, task_ids: Sequence[int]) -> list[AgedTask]:
    """Those of the tasks that have ended, locked to the end of the transaction (primary key).

    Those that another transaction has locked are left out; on SQLite there are none.
    """
    statement = _aged().where(_T.id.in_(task_ids), _T.finished_at.is_not(None)).order_by(_T.id)
    return records(AgedTask, conn.execute(statement.with_for_update(skip_locked=True)))


def _aged() -> Select[tuple[int, int, str, str, int, int | None, int | None]]:
    return select(
        _T.id, _T.text_id, _T.status, _T.source, _T.submitted_at, _T.finished_at, _T.segment_count
    )


def deleted_texts(
    conn: Connection, *, before: int, after: tuple[int, int], limit: int
) -> list[DeletedText]:
    """Texts that were deleted before a moment, with (deleted_at, id) above `after`, in that order.

    Index ix_text_deleted: reads as many entries as it returns. A canary's are left out.
    """
    # a literal in the SQL: SQLite takes a partial index only so
    statement = (
        select(_X.id, _X.deleted_at, _X.task_id)
        .where(
            text("text.deleted_at IS NOT NULL AND text.source <> 'canary'"),
            _X.deleted_at < before,
            tuple_(_X.deleted_at, _X.id) > after,
        )
        .order_by(_X.deleted_at, _X.id)
        .limit(limit)
    )
    return records(DeletedText, conn.execute(statement))


def hold_texts(conn: Connection, text_ids: Iterable[int]) -> set[int]:
    """Those of the texts that nobody else has locked, locked (primary key)."""
    statement = select(_X.id).where(_X.id.in_(list(text_ids))).order_by(_X.id)
    return set(conn.scalars(statement.with_for_update(skip_locked=True)))


def answers(conn: Connection, task_ids: Iterable[int]) -> list[Answer]:
    """The texts that these tasks answer for, deleted ones too (ix_text_task)."""
    columns = (_X.task_id, _X.id.label("text_id"), _X.deleted_at)
    statement = select(*columns).where(_X.task_id.in_(list(task_ids)))
    return records(Answer, conn.execute(statement))


def asked_since(
    conn: Connection, task_ids: Iterable[int], moment: int, *, deleted_before: int
) -> set[int]:
    """Those of the tasks that a text which they answer for has asked for since a moment.

    Texts that were deleted before `deleted_before` do not count. Indexes ix_submission_task, then
    the primary key of the text.
    """
    is_there = or_(_X.deleted_at.is_(None), _X.deleted_at >= deleted_before)
    statement = (
        select(_S.task_id)
        .join(text_table, (_X.id == _S.text_id) & (_X.task_id == _S.task_id))
        .where(_S.task_id.in_(list(task_ids)), _S.created_at >= moment, is_there)
    )
    return set(conn.scalars(statement))


def checked_hours(conn: Connection, hours: Iterable[int]) -> set[int]:
    """Those of the hours (first microseconds) that were recomputed and agreed (primary key)."""
    statement = select(_C.start).where(_C.start.in_(list(hours)), _C.drift_count == 0)
    return set(conn.scalars(statement))


def audio_bytes(conn: Connection, task_ids: Sequence[int]) -> int:
    """Bytes of the audio that these tasks made and that is not deleted (ix_audio_task)."""
    columns = audio_table.c
    statement = select(func.coalesce(func.sum(columns.size_bytes), 0))
    mine = statement.where(columns.task_id.in_(task_ids), columns.deleted_at.is_(None))
    return int(conn.execute(mine).scalar_one())


def living(conn: Connection, task_ids: Iterable[int]) -> set[int]:
    """Those of the tasks that have not ended (primary key)."""
    statement = select(_T.id).where(_T.id.in_(list(task_ids)), _T.finished_at.is_(None))
    return set(conn.scalars(statement))
