"""Task rows: insert, claim, progress, the ways out, and the look-ups that decide them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, literal, literal_column, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.records import TaskRecord
from app.store.counted import COUNTED
from app.store.rows import record, records
from app.store.tables import audio_table, task_table

_T = task_table.c
# Conditions on status are literals in the SQL: SQLite takes a partial index only so.
_PENDING = literal_column("task.status") == literal_column("'pending'")
_PROCESSING = literal_column("task.status") == literal_column("'processing'")
#: Built once: building a statement costs more than SQLite takes to run it.
_INSERTS = {
    name: dialect.insert(task_table).on_conflict_do_nothing().returning(task_table)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_COMPLETED = literal_column("task.status") == literal_column("'completed'")


def insert_unless_live(conn: Connection, values: Mapping[str, Any]) -> TaskRecord | None:
    """Inserts a task; None where a live task has the same content key (index ux_task_content_live).

    On PostgreSQL it waits for a concurrent insert of the same key to commit.
    """
    return record(TaskRecord, conn.execute(_INSERTS[conn.dialect.name], values).first())


def get(conn: Connection, task_id: int, *, lock: bool = False) -> TaskRecord | None:
    """The task by its id (primary key); with `lock`, held until the transaction ends."""
    statement = select(task_table).where(_T.id == task_id)
    if lock:
        statement = statement.with_for_update()
    return record(TaskRecord, conn.execute(statement).first())


def live_of_key(conn: Connection, content_key: str) -> TaskRecord | None:
    """The pending or processing task of a content key, locked (index ux_task_content_live)."""
    is_live = text("task.status IN ('pending', 'processing')")
    statement = select(task_table).where(_T.content_key == content_key, is_live).with_for_update()
    return record(TaskRecord, conn.execute(statement).first())


def finished_of_key(conn: Connection, content_key: str) -> TaskRecord | None:
    """The newest completed task of a key whose audio is valid and there (ix_task_content_done).

    It is kept from removal to the end of the transaction; one that is being removed is waited for,
    and then is not there.
    """
    statement = (
        select(task_table)
        .join(audio_table, audio_table.c.id == _T.audio_id)
        .where(
            _T.content_key == content_key,
            _COMPLETED,
            audio_table.c.is_valid,
            audio_table.c.deleted_at.is_(None),
        )
        .order_by(_T.id.desc())
        .limit(1)
        .with_for_update(read=True, key_share=True, of=task_table)
    )
    return record(TaskRecord, conn.execute(statement).first())


def has_due(conn: Connection, now: int) -> bool:
    """Whether a pending task may be claimed now (index ix_task_pending)."""
    statement = select(literal(1)).where(_PENDING, _T.not_before <= now).limit(1)
    return conn.execute(statement).first() is not None


def lock_slots(conn: Connection) -> None:
    """Makes claims take turns: the row of `max_concurrent` is the mutex on PostgreSQL.

    On SQLite the transaction itself (BEGIN IMMEDIATE) is.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT value FROM setting WHERE key = 'max_concurrent' FOR UPDATE"))


_CLAIM = """
UPDATE task SET status = 'processing', attempt = attempt + 1, worker_id = :worker_id,
  worker_name = :worker_name, host = :host, release = :release, claimed_at = :now,
  capacity_count = capacity_count + CASE wait_reason WHEN 'capacity' THEN 1 ELSE 0 END,
  capacity_us = capacity_us + CASE wait_reason WHEN 'capacity' THEN :now - queued_at ELSE 0 END,
  started_at = coalesce(started_at, :now), deadline_at = :now + timeout_us, progress_at = :now,
  phase = 'start', phase_permille = 0
WHERE status = 'pending' AND id = (
  SELECT t.id FROM task t
  WHERE t.status = 'pending' AND t.not_before <= :now {one}
    AND (SELECT count(*) FROM task p WHERE p.status = 'processing')
      < (SELECT value FROM setting WHERE key = 'max_concurrent')
    AND EXISTS (SELECT 1 FROM worker WHERE id = :worker_id AND state = 'up')
    AND NOT EXISTS (
      SELECT 1 FROM setting s WHERE s.key = 'limit.engine.' || t.engine
        AND s.value <= (SELECT count(*) FROM task p
                        WHERE p.status = 'processing' AND p.engine = t.engine))
  ORDER BY t.priority, t.id LIMIT 1)
RETURNING *
"""


def claim_next(
    conn: Connection,
    *,
    worker_id: str,
    worker_name: str,
    host: str,
    release: str,
    now: int,
    task_id: int | None = None,
) -> TaskRecord | None:
    """Moves the first due task to processing, within the limits, for a worker that is up.

    None where nothing is due, every slot is taken, or the worker is not up. Indexes
    ix_task_pending (walked to the first due row) and ix_task_processing (counted: at most
    `max_concurrent` entries). Call `lock_slots` first, in the same transaction.
    """
    statement = text(_CLAIM.format(one="AND t.id = :task_id" if task_id is not None else ""))
    values: dict[str, Any] = {
        "worker_id": worker_id,
        "worker_name": worker_name,
        "host": host,
        "release": release,
        "now": now,
    }
    if task_id is not None:
        values["task_id"] = task_id
    return record(TaskRecord, conn.execute(statement, values).first())


def _fenced(task_id: int, attempt: int) -> Any:
    return (_T.id == task_id) & (_T.attempt == attempt) & _PROCESSING


def flag_deadline(conn: Connection, task_id: int, attempt: int, now: int) -> TaskRecord | None:
    """Marks a running attempt whose deadline has passed; None where it was marked or is over."""
    statement = (
        update(task_table)
        .where(_fenced(task_id, attempt), _T.deadline_at <= now, _T.timed_out_at.is_(None))
        .values(timed_out_at=_T.deadline_at)
        .returning(task_table)
    )
    return record(TaskRecord, conn.execute(statement).first())


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is told of a task by an attempt that ends; the language is None where none was found."""

    text_id: int
    language: str | None


def hold(conn: Connection, task_id: int, attempt: int) -> Held | None:
    """What an attempt runs, which nobody else may change then (primary key); None: no more."""
    statement = select(_T.text_id, _T.language).where(_fenced(task_id, attempt)).with_for_update()
    row = conn.execute(statement).first()
    return None if row is None else Held(text_id=row.text_id, language=row.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A way out of processing: what it counts, and the columns that it sets."""

    counts_try: bool = False
    counts_loss: bool = False
    values: Mapping[str, Any]

    def columns(self, now: int) -> dict[str, Any]:
        """The columns of the UPDATE; run time and counters grow by what the row has."""
        return {
            "run_us": _T.run_us + (now - _T.claimed_at),
            "tries_used": _T.tries_used + int(self.counts_try),
            "lost_count": _T.lost_count + int(self.counts_loss),
            **self.values,
        }


def finish(
    conn: Connection, task_id: int, attempt: int, now: int, leave: Exit
) -> TaskRecord | None:
    """Gives a running attempt's task a final status; None where someone else owns it (fenced)."""
    statement = (
        update(task_table)
        .where(_fenced(task_id, attempt))
        .values(finished_at=now, **leave.columns(now))
        .returning(task_table)
    )
    return record(TaskRecord, conn.execute(statement).first())


def give_back(
    conn: Connection, task_id: int, attempt: int, now: int, leave: Exit
) -> TaskRecord | None:
    """Puts a running attempt's task back to pending; None where someone else owns it (fenced)."""
    statement = (
        update(task_table)
        .where(_fenced(task_id, attempt))
        .values(
            status="pending",
            queued_at=now,
            worker_id=None,
            deadline_at=None,
            phase=None,
            **leave.columns(now),
        )
        .returning(task_table)
    )
    return record(TaskRecord, conn.execute(statement).first())


def end_pending(
    conn: Connection, task_id: int, now: int, values: Mapping[str, Any]
) -> TaskRecord | None:
    """Gives a task that waits a final status (cancel, expire); None where it waits no more."""
    for_capacity = _T.wait_reason == "capacity"
    statement = (
        update(task_table)
        .where(_T.id == task_id, _PENDING)
        .values(
            finished_at=now,
            capacity_count=_T.capacity_count + case((for_capacity, 1), else_=0),
            capacity_us=_T.capacity_us + case((for_capacity, now - _T.queued_at), else_=0),
            **values,
        )
        .returning(task_table)
    )
    return record(TaskRecord, conn.execute(statement).first())


def progress(
    conn: Connection,
    task_id: int,
    attempt: int,
    *,
    now: int,
    phase: str,
    permille: int,
    segment_count: int | None = None,
    segments_done: int | None = None,
    language: str | None = None,
) -> bool:
    """Moves a running attempt's progress; False where someone else owns the task (stop then)."""
    values: dict[str, Any] = {"progress_at": now, "phase": phase, "phase_permille": permille}
    optional = {
        "segment_count": segment_count,
        "segments_done": segments_done,
        "language": language,
    }
    values |= {name: value for name, value in optional.items() if value is not None}
    statement = update(task_table).where(_fenced(task_id, attempt)).values(**values)
    return conn.execute(statement).rowcount == 1


def owned_by(conn: Connection, worker_id: str) -> list[TaskRecord]:
    """The tasks that a worker's rows say it runs (index ix_task_processing)."""
    statement = select(task_table).where(_PROCESSING, _T.worker_id == worker_id)
    return records(TaskRecord, conn.execute(statement))


_LOST = """
SELECT t.* FROM task t
WHERE t.status = 'processing' AND (
  t.deadline_at <= :overdue
  OR NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = t.worker_id AND w.state IN ('up', 'draining')))
"""


def lost(conn: Connection, overdue: int) -> list[TaskRecord]:
    """Running tasks that nobody runs: worker dead or gone, or deadline before `overdue`.

    Index ix_task_processing: reads at most `max_concurrent` rows.
    """
    return records(TaskRecord, conn.execute(text(_LOST), {"overdue": overdue}))


def overdue(conn: Connection, now: int) -> list[TaskRecord]:
    """Running tasks past their deadline that nobody has flagged (index ix_task_processing)."""
    statement = select(task_table).where(
        _PROCESSING, _T.deadline_at <= now, _T.timed_out_at.is_(None)
    )
    return records(TaskRecord, conn.execute(statement))


def move_deadlines(conn: Connection, pause_us: int, now: int) -> int:
    """Moves live deadlines by a pause of the whole machine; returns how many tasks that were."""
    statement = (
        update(task_table)
        .where(_PROCESSING, _T.timed_out_at.is_(None), _T.deadline_at > now - pause_us)
        .values(deadline_at=_T.deadline_at + pause_us)
    )
    return conn.execute(statement).rowcount


def expired(conn: Connection, now: int, limit: int = 100) -> list[TaskRecord]:
    """Pending tasks past `give_up_at` (index ix_task_pending), at most `limit`."""
    statement = select(task_table).where(_PENDING, _T.give_up_at <= now).limit(limit)
    return records(TaskRecord, conn.execute(statement))


def count_processing(conn: Connection) -> int:
    """Slots in use (index ix_task_processing)."""
    return conn.execute(
        select(func.count()).select_from(task_table).where(_PROCESSING)
    ).scalar_one()


def position(conn: Connection, task: TaskRecord) -> int:
    """How many tasks are before a pending one, canaries not counted, plus one (ix_task_pending)."""
    ahead = select(func.count()).where(
        _PENDING,
        COUNTED,
        case((_T.priority == task.priority, _T.id < task.id), else_=_T.priority < task.priority),
    )
    return conn.execute(ahead).scalar_one() + 1


def place_of(conn: Connection, task_id: int) -> tuple[int, int] | None:
    """(submitted_at, id) of a task, or of the one before it that is there (primary key)."""
    statement = select(_T.submitted_at, _T.id).where(_T.id <= task_id, COUNTED)
    row = conn.execute(statement.order_by(_T.id.desc()).limit(1)).first()
    return None if row is None else (int(row.submitted_at), int(row.id))


def of_text(conn: Connection, text_id: int) -> list[TaskRecord]:
    """Every task made for a text, newest first (index ix_task_text)."""
    statement = select(task_table).where(_T.text_id == text_id).order_by(_T.id.desc())
    return records(TaskRecord, conn.execute(statement))


def many(conn: Connection, task_ids: list[int]) -> list[TaskRecord]:
    """Tasks by their ids (primary key)."""
    return records(TaskRecord, conn.execute(select(task_table).where(_T.id.in_(task_ids))))
