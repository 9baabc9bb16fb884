"""What canaries leave behind: audio that goes at once, rows that stay as long as their traces."""

from app.domain.records import TaskRecord
from app.service.core import Core
from app.store import audios, canaries, erase, texts
from app.store.database import Connection

#: Tasks that one transaction removes at most.
BATCH = 20


def put_away(conn: Connection, task: TaskRecord, now: int) -> str | None:
    """Deletes a canary's text and audio softly; returns the key of the file, which may go then."""
    texts.mark_deleted(conn, task.text_id, now)
    if task.audio_id is None:
        return None
    audio = audios.get(conn, task.audio_id)
    audios.mark_deleted(conn, task.audio_id, now)
    return audio.storage_key if audio is not None else None


def remove_old(core: Core) -> int:
    """Removes canaries' tasks with all that belongs to them, a small batch; returns how many.

    They stay for as long as Jaeger keeps traces: until then a comparison of both may ask for them.
    """
    kept_us = round(core.settings.jaeger_retention_h * 3_600_000_000)
    with core.database.read() as conn:
        old = canaries.old_tasks(conn, core.database.now_us(conn) - kept_us, BATCH)
    if old:
        core.database.run(lambda conn: _erase(conn, old))
    return len(old)


def _erase(conn: Connection, old: list[tuple[int, int]]) -> None:
    task_ids = [task_id for task_id, _ in old]
    text_ids = [text_id for _, text_id in old]
    erase.captions(conn, task_ids, text_ids)
    erase.audios(conn, task_ids, text_ids)
    erase.segments(conn, task_ids)
    erase.attempts(conn, task_ids)
    erase.events(conn, task_ids)
    erase.log_lines(conn, task_ids)
    erase.submissions(conn, task_ids, text_ids)
    erase.tasks(conn, task_ids)
    erase.texts(conn, text_ids)
