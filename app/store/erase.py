"""Rows of a task taken away for good: one function for each table, to be called in this order.

Foreign keys point from what is called first to what is called last.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, exists, select

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


def captions(conn: Connection, text_ids: Sequence[int]) -> None:
    """Captions of all audio of these texts (index ix_audio_text, then the primary key)."""
    audio_ids = select(audio_table.c.id).where(audio_table.c.text_id.in_(text_ids))
    conn.execute(delete(caption_table).where(caption_table.c.audio_id.in_(audio_ids)))


def audios(conn: Connection, text_ids: Sequence[int]) -> None:
    """Audio rows of these texts (index ix_audio_text); the sweeper takes the files."""
    conn.execute(delete(audio_table).where(audio_table.c.text_id.in_(text_ids)))


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


def submissions(conn: Connection, task_ids: Sequence[int]) -> None:
    """Submissions that these tasks answer (index ix_submission_task)."""
    conn.execute(delete(submission_table).where(submission_table.c.task_id.in_(task_ids)))


def tasks(conn: Connection, task_ids: Sequence[int]) -> None:
    """These tasks (primary key)."""
    conn.execute(delete(task_table).where(task_table.c.id.in_(task_ids)))


def texts(conn: Connection, text_ids: Sequence[int]) -> None:
    """Those of the texts that no task is left of (primary key, index ix_task_text)."""
    has_task = exists().where(task_table.c.text_id == text_table.c.id)
    conn.execute(delete(text_table).where(text_table.c.id.in_(text_ids), ~has_task))
