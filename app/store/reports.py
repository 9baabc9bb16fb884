"""Reads for people: what runs, what waits, what has changed, each at a cost that does not grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, literal, select, text

from app.domain.records import EventRecord, TaskRecord, TextRecord, WorkerRecord
from app.store.counted import COUNTED
from app.store.rows import records
from app.store.tables import (
    event_table,
    segment_table,
    task_table,
    text_table,
    worker_table,
)

_T = task_table.c
_X = text_table.c
_E = event_table.c
_G = segment_table.c

#: Running tasks that one list shows at most.
ACTIVE_CAP = 1000
#: Waiting tasks that are looked at to say what is waited for.
HEAD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveText:
    """A text whose task runs now."""

    text_id: int
    title: str
    task: TaskRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class TextState:
    """What a text shows now, for those who watch it."""

    id: int
    state: str
    task_id: int | None
    audio_id: int | None


def active_texts(conn: Connection) -> list[ActiveText]:
    """The texts in state processing, oldest claim first (ix_task_processing, ix_text_task).

    Followers too: as many as `texts_by_state` counts in this snapshot, up to `ACTIVE_CAP`.
    """
    statement = (
        select(task_table, _X.id.label("of_text_id"), _X.title.label("of_title"))
        .join(text_table, _X.task_id == _T.id)
        .where(
            text("task.status = 'processing'"),
            _X.deleted_at.is_(None),
            _X.cancelled_at.is_(None),
            _X.audio_id.is_(None),
            _X.source != "canary",
        )
        .order_by(_T.claimed_at, _X.id)
        .limit(ACTIVE_CAP)
    )
    rows = conn.execute(statement).all()
    return [
        ActiveText(text_id=row.of_text_id, title=row.of_title, task=task)
        for task, row in zip(records(TaskRecord, rows), rows, strict=True)
    ]


def processing(conn: Connection) -> list[TaskRecord]:
    """Every task that runs but canaries, oldest claim first (index ix_task_processing)."""
    statement = (
        select(task_table)
        .where(text("task.status = 'processing'"), COUNTED)
        .order_by(_T.claimed_at, _T.id)
    )
    return records(TaskRecord, conn.execute(statement))


def oldest_waiting(conn: Connection) -> int | None:
    """When the task that waits longest was queued, last (ix_task_queued, one row); None: nothing.

    Not the head of the queue: a task that is tried again stands there, queued a moment ago.
    """
    # a literal in the SQL: SQLite takes a partial index only so
    waits = text("task.status = 'pending' AND task.source <> 'canary'")
    statement = select(func.min(_T.queued_at)).where(waits)
    return conn.execute(statement).scalar_one_or_none()


def waits(conn: Connection, now: int) -> set[tuple[str, bool]]:
    """Why tasks at the head of the queue wait, and whether until a later moment (ix_task_pending).

    Looks at `HEAD` rows at most, so that its cost does not grow with the queue.
    """
    statement = (
        select(_T.wait_reason, (_T.not_before > now).label("is_held"))
        .where(text("task.status = 'pending'"), COUNTED)
        .order_by(_T.priority, _T.id)
        .limit(HEAD)
    )
    return {(row.wait_reason, bool(row.is_held)) for row in conn.execute(statement)}


def text_states(conn: Connection, text_ids: Sequence[int]) -> list[TextState]:
    """What these texts show (primary key); deleted ones are left out."""
    statement = select(_X.id, _X.state, _X.task_id, _X.audio_id).where(
        _X.id.in_(text_ids), _X.deleted_at.is_(None)
    )
    return [
        TextState(id=row.id, state=row.state, task_id=row.task_id, audio_id=row.audio_id)
        for row in conn.execute(statement)
    ]


def text_head(conn: Connection, text_id: int) -> TextRecord | None:
    """A text, deleted or not, without its content (primary key)."""
    found = records(TextRecord, conn.execute(_head().where(_X.id == text_id)))
    return found[0] if found else None


def _head() -> Select[Any]:
    columns = [column for column in text_table.c if column.name != "content"]
    return select(*columns, literal("").label("content"))


def followers(conn: Connection, task_id: int, limit: int = 100) -> list[TextRecord]:
    """Texts that a task answers for, oldest first, without their content (index ix_text_task)."""
    statement = (
        _head().where(_X.task_id == task_id, _X.deleted_at.is_(None)).order_by(_X.id).limit(limit)
    )
    return records(TextRecord, conn.execute(statement))


def last_events(conn: Connection, task_ids: Sequence[int]) -> dict[int, int]:
    """The id of the last event of each task (index ix_event_task)."""
    statement = (
        select(_E.task_id, func.max(_E.id).label("last"))
        .where(_E.task_id.in_(task_ids))
        .group_by(_E.task_id)
    )
    return {row.task_id: row.last for row in conn.execute(statement)}


def last_event(conn: Connection) -> int:
    """The id of the last event of all (primary key); 0 where nothing ever happened."""
    return conn.execute(select(func.max(_E.id))).scalar_one() or 0


def events_after(conn: Connection, task_id: int, after_id: int) -> list[EventRecord]:
    """A task's events after one of them, oldest first (index ix_event_task)."""
    statement = (
        select(event_table)
        .where(_E.task_id == task_id, _E.id > after_id)
        .order_by(_E.id)
        .limit(200)
    )
    return records(EventRecord, conn.execute(statement))


def workers(conn: Connection, worker_ids: Sequence[str]) -> dict[str, WorkerRecord]:
    """Workers by their ids (primary key)."""
    statement = select(worker_table).where(worker_table.c.id.in_(worker_ids))
    return {worker.id: worker for worker in records(WorkerRecord, conn.execute(statement))}
