"""Rows of tasks and texts taken away for good: one function for each table, called in this order.

Foreign keys point from what is called first to what is called last.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, or_, select

from app.store.tables import (
    attempt_table,
    audio_table,
    caption_table,
    event_table,
    segment_table,
    submission_table,
    task_log_table,
    task_table,
    text_table,
)


def captions(conn: Connection, task_ids: Sequence[int], text_ids: Sequence[int]) -> None:
    """Captions of all audio of these (indexes ix_audio_task, ix_audio_text, then primary key)."""
    audio_ids = select(audio_table.c.id).where(_audio_of(task_ids, text_ids))
    conn.execute(delete(caption_table).where(caption_table.c.audio_id.in_(audio_ids)))


def audios(conn: Connection, task_ids: Sequence[int], text_ids: Sequence[int]) -> int:
    """Audio of these (ix_audio_task, ix_audio_text); returns its bytes, but for what was deleted.

    The sweeper takes the files.
    """
    columns = audio_table.c
    gone = delete(audio_table).where(_audio_of(task_ids, text_ids))
    rows = conn.execute(gone.returning(columns.size_bytes, columns.deleted_at))
    return sum(row.size_bytes for row in rows if row.deleted_at is None)


def _audio_of(task_ids: Sequence[int], text_ids: Sequence[int]) -> ColumnElement[bool]:
    return or_(audio_table.c.task_id.in_(task_ids), audio_table.c.text_id.in_(text_ids))


def segments(conn: Connection, task_ids: Sequence[int]) -> None:
    """Segments of these tasks (primary key)."""
    conn.execute(delete(segment_table).where(segment_table.c.task_id.in_(task_ids)))


def attempts(conn: Connection, task_ids: Sequence[int]) -> None:
    """Attempts of these tasks (primary key)."""
    conn.execute(delete(attempt_table).where(attempt_table.c.task_id.in_(task_ids)))


def events(conn: Connection, task_ids: Sequence[int]) -> None:
    """Events of these tasks (index ix_event_task)."""
    conn.execute(delete(event_table).where(event_table.c.task_id.in_(task_ids)))


def log_lines(conn: Connection, task_ids: Sequence[int]) -> None:
    """Log lines of these tasks (index ix_task_log_task)."""
    conn.execute(delete(task_log_table).where(task_log_table.c.task_id.in_(task_ids)))


def submissions(conn: Connection, task_ids: Sequence[int], text_ids: Sequence[int]) -> None:
    """Submissions of these (indexes ix_submission_task, ix_submission_text)."""
    columns = submission_table.c
    of_these = or_(columns.task_id.in_(task_ids), columns.text_id.in_(text_ids))
    conn.execute(delete(submission_table).where(of_these))


def tasks(conn: Connection, task_ids: Sequence[int]) -> None:
    """These tasks (primary key)."""
    conn.execute(delete(task_table).where(task_table.c.id.in_(task_ids)))


def texts(conn: Connection, text_ids: Sequence[int]) -> int:
    """Those of the texts that no task is left of (primary key, ix_task_text); returns how many."""
    has_task = exists().where(task_table.c.text_id == text_table.c.id)
    gone = delete(text_table).where(text_table.c.id.in_(text_ids), ~has_task)
    return conn.execute(gone).rowcount
