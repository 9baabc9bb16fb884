"""Text rows: insert, read, and which task and audio answer for them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update

from app.domain.records import TextRecord
from app.store.rows import record
from app.store.tables import text_table

_X = text_table.c
_INSERT = insert(text_table).returning(_X.id)


def insert_text(conn: Connection, values: Mapping[str, Any]) -> int:
    """Inserts a text; returns its id."""
    return int(conn.execute(_INSERT, values).scalar_one())


def get(conn: Connection, text_id: int, *, lock: bool = False) -> TextRecord | None:
    """A text that is not deleted (primary key); with `lock`, held until the transaction ends."""
    statement = select(text_table).where(_X.id == text_id, _X.deleted_at.is_(None))
    if lock:
        statement = statement.with_for_update()
    return record(TextRecord, conn.execute(statement).first())


def content(conn: Connection, text_id: int) -> str | None:
    """A text's content, deleted or not (an attempt may still run on it)."""
    return conn.execute(select(_X.content).where(_X.id == text_id)).scalar_one_or_none()


def title(conn: Connection, text_id: int) -> str:
    """A text's title, deleted or not; empty where there is no such text."""
    return conn.execute(select(_X.title).where(_X.id == text_id)).scalar_one_or_none() or ""


def answer_with(
    conn: Connection, text_id: int, *, task_id: int, audio_id: int | None = None
) -> None:
    """Lets a task (and, where it is done, its audio) answer for a text; ends a cancellation."""
    conn.execute(
        update(text_table)
        .where(_X.id == text_id)
        .values(task_id=task_id, audio_id=audio_id, cancelled_at=None)
    )


def give_audio(conn: Connection, task_id: int, audio_id: int) -> int:
    """Gives every text that follows a task its audio (index ix_text_task); returns how many."""
    statement = (
        update(text_table)
        .where(_X.task_id == task_id, _X.cancelled_at.is_(None))
        .values(audio_id=audio_id)
    )
    return conn.execute(statement).rowcount


def take_audio(conn: Connection, audio_id: int) -> int:
    """Takes an audio that is gone from every text that had it; returns how many."""
    statement = update(text_table).where(_X.audio_id == audio_id).values(audio_id=None)
    return conn.execute(statement).rowcount


def cancel(conn: Connection, text_id: int, now: int) -> None:
    """Marks a text's request as cancelled."""
    conn.execute(update(text_table).where(_X.id == text_id).values(cancelled_at=now))


def mark_deleted(conn: Connection, text_id: int, at: int | None) -> bool:
    """Hides a text (`at`) or brings it back (None); False where there is none to change."""
    condition = _X.deleted_at.is_(None) if at is not None else _X.deleted_at.is_not(None)
    statement = update(text_table).where(_X.id == text_id, condition).values(deleted_at=at)
    return conn.execute(statement).rowcount == 1


def title_exists(conn: Connection, wanted: str) -> bool:
    """Whether a text that is not deleted, nor a canary's, has this very title (ix_text_title)."""
    statement = select(
        exists().where(_X.title == wanted, _X.deleted_at.is_(None), _X.source != "canary")
    )
    return bool(conn.execute(statement).scalar_one())


def following(conn: Connection, task_id: int) -> list[int]:
    """Ids of the texts that a task answers for (index ix_text_task)."""
    statement = select(_X.id).where(
        _X.task_id == task_id, _X.cancelled_at.is_(None), _X.deleted_at.is_(None)
    )
    return list(conn.execute(statement.order_by(_X.id)).scalars())


def titles(conn: Connection, text_ids: list[int]) -> dict[int, str]:
    """Titles by text id (primary key)."""
    rows = conn.execute(select(_X.id, _X.title).where(_X.id.in_(text_ids)))
    return {row.id: row.title for row in rows}
