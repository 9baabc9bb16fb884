"""Rows of tasks that ended long ago, as the services leave them: for tests of what becomes of them.

Everything that belongs to a task is there: attempt, segments, events, lines, submission, audio with
captions and its file, spans. Moments are microseconds; an age is in hours before `now`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, insert, select, update

from app.service.core import Core
from app.store.metadata import metadata
from app.store.tables import (
    archive_table,
    attempt_table,
    audio_table,
    caption_table,
    event_table,
    outbox_table,
    segment_table,
    stat_check_table,
    submission_table,
    task_log_table,
    task_table,
    text_table,
)

HOUR_US: Final = 3_600_000_000
#: Tables whose rows belong to a task, and to a text.
OF_TASK: Final = (
    attempt_table,
    segment_table,
    event_table,
    task_log_table,
    submission_table,
    audio_table,
    outbox_table,
)
OF_TEXT: Final = (task_table, submission_table, audio_table)


@dataclass(slots=True)
class AgedRows:
    """Makes rows in one transaction."""

    core: Core
    conn: Connection
    now: int
    _contents: int = field(default=0, init=False)

    def text(self, age_h: float, *, task_id: int | None = None) -> int:
        """A text that was submitted so long ago; `task_id` answers for it."""
        self._contents += 1
        audio_id = None
        if task_id is not None:
            audio_id = self._get(task_table, task_id, "audio_id")
        values = {
            "title": "t",
            "content": f"Content {self._contents}.",
            "char_count": 10,
            "content_hash": "h",
            "source": "api",
            "created_at": self._at(age_h),
            "task_id": task_id,
            "audio_id": audio_id,
        }
        return self._add(text_table, values)

    def spoken(
        self,
        text_id: int,
        age_h: float,
        status: str = "completed",
        *,
        segment_count: int = 2,
        source: str = "api",
        retry_of: int | None = None,
        is_sent: bool = True,
    ) -> int:
        """A task for a text that ended so long ago; `pending` and `processing` ones have not."""
        task_id = self._add(task_table, self._task(text_id, age_h, status, source, retry_of))
        self._asked(text_id, task_id, age_h + 1, "new")
        self._attempt(task_id, age_h, status, source)
        self._belongings(task_id, age_h, segment_count)
        self._spans(task_id, age_h, is_sent=is_sent)
        audio_id = self._audio(text_id, task_id, age_h) if status == "completed" else None
        self.answer(text_id, task_id, audio_id)
        return task_id

    def followed(self, task_id: int, age_h: float, disposition: str = "skipped") -> int:
        """A text that a task answered so long ago, though it was made for another."""
        text_id = self.text(age_h, task_id=task_id)
        self._asked(text_id, task_id, age_h, disposition)
        return text_id

    def answered_anew(self, text_id: int, task_id: int, age_h: float) -> None:
        """The text was tried again so long ago, and answered by a task of another text."""
        self._asked(text_id, task_id, age_h, "skipped")
        self.answer(text_id, task_id, self._get(task_table, task_id, "audio_id"))

    def answer(self, text_id: int, task_id: int, audio_id: int | None) -> None:
        """Lets a task answer for a text."""
        mine = update(text_table).where(text_table.c.id == text_id)
        self.conn.execute(mine.values(task_id=task_id, audio_id=audio_id))

    def delete_text(self, text_id: int, age_h: float) -> None:
        """The text was deleted so long ago."""
        mine = update(text_table).where(text_table.c.id == text_id)
        self.conn.execute(mine.values(deleted_at=self._at(age_h)))

    def check_hours(self, *, but: Iterable[int] = ()) -> None:
        """Every hour in which a task ended was recomputed and agreed, but for some tasks' hours."""
        ends = self.conn.execute(
            select(task_table.c.id, task_table.c.finished_at).where(
                task_table.c.finished_at.is_not(None)
            )
        ).all()
        skipped = {row.finished_at // HOUR_US for row in ends if row.id in set(but)}
        hours = {row.finished_at // HOUR_US for row in ends} - skipped
        self.conn.execute(delete(stat_check_table))
        for hour in hours:
            values = {"start": hour * HOUR_US, "checked_at": self.now, "n": 1, "drift_count": 0}
            self.conn.execute(insert(stat_check_table).values(values))

    def _at(self, age_h: float) -> int:
        return self.now - round(age_h * HOUR_US)

    def _task(
        self, text_id: int, age_h: float, status: str, source: str, retry_of: int | None
    ) -> dict[str, Any]:
        self._contents += 1
        lives = status in {"pending", "processing"}
        return {
            "text_id": text_id,
            "retry_of": retry_of,
            "content_key": f"k{self._contents}-{self.now}",
            "status": status,
            "engine": ("tone", "espeak")[self._contents % 2],
            "engine_version": "1",
            "voice": "auto",
            "language": (None, "en", "zh")[self._contents % 3],
            "format": "mp3",
            "source": source,
            "char_count": 10 + self._contents,
            "timeout_us": 60_000_000,
            "max_attempts": 3,
            "give_up_at": self._at(age_h),
            "submitted_at": self._at(age_h + 1),
            "queued_at": self._at(age_h + 1),
            "not_before": self._at(age_h + 1),
            "claimed_at": self._at(age_h),
            "deadline_at": self._at(age_h),
            "finished_at": None if lives else self._at(age_h),
            "run_us": 1_234_567 * (1 + self._contents % 7),
            "attempt": 1 + self._contents % 3,
            "lost_count": self._contents % 2,
            "capacity_count": self._contents % 2,
            "capacity_us": 5_000 * (self._contents % 4),
            "timed_out_at": self._at(age_h) if status == "timeout" else None,
            "worker_id": "w",
            "worker_name": "w1",
            "host": "h",
            "release": "1",
            "trace_id": f"{self._contents:032x}",
            "span_id": f"{self._contents:016x}",
        }

    def _asked(self, text_id: int, task_id: int, age_h: float, disposition: str) -> None:
        values = {
            "text_id": text_id,
            "task_id": task_id,
            "disposition": disposition,
            "source": "api",
            "created_at": self._at(age_h),
            "engine": self._get(task_table, task_id, "engine"),
            "char_count": 10,
            "audio_ms": 900 if disposition == "skipped" else 0,
        }
        self._add(submission_table, values)

    def _attempt(self, task_id: int, age_h: float, status: str, source: str) -> None:
        at = self._at(age_h)
        has_ended = status not in {"pending", "processing"}
        attempt = {
            "task_id": task_id,
            "attempt": 1,
            "span_id": "a" * 16,
            "worker_id": "w",
            "worker_name": "w1",
            "host": "h",
            "release": "1",
            "engine": "tone",
            "queued_at": at,
            "wait_reason": "queued",
            "claimed_at": at,
            "deadline_at": at,
            "finished_at": at if has_ended else None,
            "outcome": status if has_ended else None,
            "source": source,
            "fingerprint": "v2:f" if status in {"failed", "timeout"} else None,
        }
        self.conn.execute(insert(attempt_table).values(attempt))

    def _belongings(self, task_id: int, age_h: float, segment_count: int) -> None:
        at = self._at(age_h)
        segments = [
            {
                "task_id": task_id,
                "idx": idx,
                "start": idx,
                "stop": idx + 1,
                "units": 1.0,
                "boundary": "sentence",
                "status": "done",
                "storage_key": "segment/ab/ab.pcm",
                "input_hash": f"{task_id}-{idx}",
            }
            for idx in range(segment_count)
        ]
        self.conn.execute(insert(segment_table), segments)
        mine = update(task_table).where(task_table.c.id == task_id)
        self.conn.execute(mine.values(segment_count=segment_count))
        self._add(event_table, {"task_id": task_id, "at": at, "kind": "submitted", "by": "test"})
        line = {"logger": "l", "message": "m", "program": "test", "host": "h", "pid": 1}
        self._add(task_log_table, {"task_id": task_id, "at": at, "level": 20, **line})

    def _spans(self, task_id: int, age_h: float, *, is_sent: bool) -> None:
        at = self._at(age_h)
        values = {
            "task_id": task_id,
            "created_at": at,
            "n_spans": 3,
            "size_bytes": 4,
            "rank": 0,
            "state": "sent" if is_sent else "new",
            "sent_at": at if is_sent else None,
            "payload": b"span",
        }
        self._add(outbox_table, values)

    def _audio(self, text_id: int, task_id: int, age_h: float) -> int:
        sound = f"sound of task {task_id} at {self.now}".encode()
        digest = hashlib.sha256(sound).hexdigest()
        key = f"audio/{digest[:2]}/{digest}.mp3"
        self.core.storage.put_bytes(sound, key=key)
        values = {
            "text_id": text_id,
            "task_id": task_id,
            "storage_key": key,
            "sha256": digest,
            "filename": "t.mp3",
            "format": "mp3",
            "size_bytes": len(sound),
            "is_valid": True,
            "source": "made",
            "created_at": self._at(age_h),
        }
        audio_id = self._add(audio_table, values)
        caption = {"audio_id": audio_id, "format": "srt", "body": b"1"}
        self.conn.execute(insert(caption_table).values(caption))
        mine = update(task_table).where(task_table.c.id == task_id)
        self.conn.execute(mine.values(audio_id=audio_id, audio_duration_ms=1000 + task_id))
        return audio_id

    def _add(self, table: Table, values: dict[str, Any]) -> int:
        return int(
            self.conn.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
        )

    def _get(self, table: Table, row_id: int, column: str) -> Any:
        return self.conn.execute(select(table.c[column]).where(table.c.id == row_id)).scalar_one()


def clear(conn: Connection) -> None:
    """Removes every row of texts, tasks and statistics."""
    kept = {"setting", "alembic_version", "stat_bound", "duty", "worker"}
    conn.execute(update(text_table).values(task_id=None, audio_id=None))
    for table in reversed(metadata.sorted_tables):
        if table.name not in kept and not table.name.startswith("stat_"):
            conn.execute(delete(table))
    for table in metadata.sorted_tables:
        if table.name.startswith("stat_") and table.name not in kept:
            conn.execute(delete(table))


def orphans(conn: Connection) -> list[str]:
    """Rows that name a task, a text or an audio that is not there; none must be."""
    tasks, texts = (
        set(conn.scalars(select(task_table.c.id))),
        set(conn.scalars(select(text_table.c.id))),
    )
    audios = set(conn.scalars(select(audio_table.c.id)))
    places = [
        *((table, table.c.task_id, tasks) for table in (*OF_TASK, text_table)),
        *((table, table.c.text_id, texts) for table in OF_TEXT),
        (text_table, text_table.c.audio_id, audios),
        (task_table, task_table.c.audio_id, audios),
        (caption_table, caption_table.c.audio_id, audios),
    ]
    return [
        f"{table.name}.{column.name} {value}"
        for table, column, there in places
        for value in set(conn.scalars(select(column).where(column.is_not(None)))) - there
    ]


def ledger_rows(conn: Connection) -> list[Any]:
    """The rows of the ledger, in their order."""
    return list(conn.execute(select(archive_table).order_by(archive_table.c.id)))


def age(core: Core, days: float) -> None:
    """Lets everything that is there have happened so much earlier, every hour of it recomputed."""
    us = round(days * 24 * HOUR_US)
    moments = {
        text_table: ("created_at",),
        submission_table: ("created_at",),
        task_table: ("submitted_at", "queued_at", "finished_at"),
    }
    with core.database.write() as conn:
        for table, names in moments.items():
            conn.execute(update(table).values({name: table.c[name] - us for name in names}))
        AgedRows(core, conn, core.database.now_us(conn)).check_hours()
