"""Retry by hand: a new task of the same text, linked to the one that did not complete."""

import json
from typing import Any

from app.domain.errors import ConflictError, NotFoundError
from app.domain.records import TaskRecord, TextRecord
from app.domain.task import RETRYABLE, Status
from app.service.core import Core
from app.service.submit import Submitted, counted_by, fresh_columns, place_task
from app.store import audios, submissions, tasks, texts
from app.store.database import Connection
from telemetry.tracing import SpanContext


def retry_text(
    core: Core, text_id: int, *, source: str, context: SpanContext | None = None
) -> Submitted:
    """Speaks a text again whose task failed, timed out or was cancelled, or whose audio is lost.

    Raises:
        NotFoundError: No such text.
        ConflictError: It has valid audio, or its task waits or runs.
    """

    def work(conn: Connection) -> Submitted:
        text = texts.get(conn, text_id, lock=True)
        if text is None:
            message = f"text {text_id} does not exist"
            raise NotFoundError(message)
        before = _retryable_task(conn, text)
        return _again(core, conn, text, before, source=source, context=context)

    result = core.database.run(work)
    if result.disposition == "new":
        core.ring()
    return result


def retry_task(
    core: Core, task_id: int, *, source: str, context: SpanContext | None = None
) -> Submitted:
    """As `retry_text`, for the text that a task was made for."""
    with core.database.read() as conn:
        task = tasks.get(conn, task_id)
    if task is None:
        message = f"task {task_id} does not exist"
        raise NotFoundError(message)
    return retry_text(core, task.text_id, source=source, context=context)


def _retryable_task(conn: Connection, text: TextRecord) -> TaskRecord:
    if text.audio_id is not None and audios.get(conn, text.audio_id) is not None:
        message = f"text {text.id} has valid audio; there is nothing to retry"
        raise ConflictError(message)
    task = tasks.get(conn, text.task_id) if text.task_id is not None else None
    if task is None:
        message = f"text {text.id} has no task to retry; submit it"
        raise ConflictError(message)
    status = Status(task.status)
    if text.cancelled_at is None and status not in RETRYABLE | {Status.COMPLETED}:
        message = f"text {text.id} is {task.status}; only one that ended can be retried"
        raise ConflictError(message)
    return task


def _again(
    core: Core,
    conn: Connection,
    text: TextRecord,
    before: TaskRecord,
    *,
    source: str,
    context: SpanContext | None,
) -> Submitted:
    now = core.database.now_us(conn)
    values = _values(core, text, before, now, source=source, context=context)
    task, disposition = place_task(core, conn, text.id, values, now)
    submissions.insert_submission(
        conn,
        {
            "text_id": text.id,
            "task_id": task.id,
            "disposition": disposition,
            "source": source,
            "trace_id": context.trace_id_hex if context else None,
            "span_id": context.span_id_hex if context else None,
            "created_at": now,
            **counted_by(task, disposition, char_count=text.char_count),
        },
    )
    after = texts.get(conn, text.id) or text
    audio = audios.get(conn, after.audio_id) if after.audio_id is not None else None
    return Submitted(text=after, task=task, audio=audio, disposition=disposition)


#: Columns that a retry takes from the task before it.
_KEPT = (
    "content_key",
    "engine",
    "engine_version",
    "voice",
    "language",
    "format",
    "params",
    "char_count",
    "timeout_us",
    "max_attempts",
    "priority",
)


def _values(
    core: Core,
    text: TextRecord,
    before: TaskRecord,
    now: int,
    *,
    source: str,
    context: SpanContext | None,
) -> dict[str, Any]:
    kept = {name: getattr(before, name) for name in _KEPT}
    return (
        kept
        | fresh_columns(core, now, context)
        | {
            "retry_of": before.id,
            "source": source if text.source != "canary" else "canary",
            "links": json.dumps([[before.trace_id, before.span_id]]),
        }
    )
