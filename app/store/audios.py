"""Audio rows: the files that texts have, and their captions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, text, update

from app.domain.records import AudioRecord
from app.store.rows import record, records
from app.store.tables import audio_table, caption_table, segment_table, task_table

_D = audio_table.c


def insert_audio(conn: Connection, values: Mapping[str, Any]) -> int:
    """Inserts an audio; returns its id."""
    return int(conn.execute(insert(audio_table).values(**values).returning(_D.id)).scalar_one())


def get(conn: Connection, audio_id: int) -> AudioRecord | None:
    """An audio that is not deleted (primary key)."""
    statement = select(audio_table).where(_D.id == audio_id, _D.deleted_at.is_(None))
    return record(AudioRecord, conn.execute(statement).first())


def many(conn: Connection, audio_ids: list[int]) -> list[AudioRecord]:
    """Audios by their ids, deleted ones left out (primary key)."""
    statement = select(audio_table).where(_D.id.in_(audio_ids), _D.deleted_at.is_(None))
    return records(AudioRecord, conn.execute(statement))


def mark_deleted(conn: Connection, audio_id: int, now: int) -> None:
    """Takes an audio away; its file goes when no row refers to it."""
    conn.execute(
        update(audio_table).where(_D.id == audio_id, _D.deleted_at.is_(None)).values(deleted_at=now)
    )


def mark_invalid(conn: Connection, audio_id: int) -> None:
    """Notes that an audio's file is gone or broken."""
    conn.execute(update(audio_table).where(_D.id == audio_id).values(is_valid=False))


def refers_to(conn: Connection, storage_key: str) -> bool:
    """Whether a row still needs a stored audio file (index ix_audio_storage_key)."""
    statement = select(exists().where(_D.storage_key == storage_key, _D.deleted_at.is_(None)))
    return bool(conn.execute(statement).scalar_one())


def segment_refers_to(conn: Connection, input_hash: str) -> bool:
    """Whether a task that may still be made needs a segment's sound (ix_segment_input_hash)."""
    kept = ("pending", "processing", "failed", "timeout", "cancelled")
    statement = select(
        exists().where(
            segment_table.c.input_hash == input_hash,
            text("segment.status = 'done'"),
            segment_table.c.task_id == task_table.c.id,
            task_table.c.status.in_(kept),
        )
    )
    return bool(conn.execute(statement).scalar_one())


def put_captions(conn: Connection, audio_id: int, bodies: Mapping[str, str]) -> None:
    """Stores an audio's captions, by format (`srt`, `vtt`)."""
    conn.execute(delete(caption_table).where(caption_table.c.audio_id == audio_id))
    rows = [
        {"audio_id": audio_id, "format": name, "body": body.encode()}
        for name, body in bodies.items()
    ]
    if rows:
        conn.execute(insert(caption_table), rows)


def captions(conn: Connection, audio_id: int, fmt: str) -> str | None:
    """An audio's captions in one format; None where it has none."""
    statement = select(caption_table.c.body).where(
        caption_table.c.audio_id == audio_id, caption_table.c.format == fmt
    )
    body = conn.execute(statement).scalar_one_or_none()
    return None if body is None else bytes(body).decode()
