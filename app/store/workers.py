"""Worker rows: who lives, proven by a heartbeat each second."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, text, update

from app.domain.records import WorkerRecord
from app.store.rows import record, records
from app.store.tables import attempt_table, task_table, worker_table

_W = worker_table.c
# a literal in the SQL: SQLite takes a partial index only so
_LIVE = text("state IN ('up', 'draining')")


def register(conn: Connection, values: Mapping[str, Any]) -> None:
    """Inserts a worker that has just started."""
    conn.execute(insert(worker_table).values(**values))


def beat(conn: Connection, worker_id: str, now: int) -> bool:
    """Renews a worker's lease; False where it was declared dead (it must stop what it runs)."""
    statement = update(worker_table).where(_W.id == worker_id, _LIVE).values(heartbeat_at=now)
    return conn.execute(statement).rowcount == 1


def drain(conn: Connection, worker_id: str) -> None:
    """Ends a worker's claims: it finishes what it has."""
    conn.execute(
        update(worker_table).where(_W.id == worker_id, _W.state == "up").values(state="draining")
    )


def end(
    conn: Connection, worker_id: str, now: int, *, state: str, reason: str
) -> WorkerRecord | None:
    """Notes that a worker is no more (`stopped` or `dead`); None where that is known."""
    statement = (
        update(worker_table)
        .where(_W.id == worker_id, _LIVE)
        .values(state=state, ended_at=now, end_reason=reason)
        .returning(worker_table)
    )
    return record(WorkerRecord, conn.execute(statement).first())


def end_stale(conn: Connection, before: int, now: int, reason: str) -> list[WorkerRecord]:
    """Declares workers dead whose last heartbeat is before `before` (index ix_worker_live)."""
    statement = (
        update(worker_table)
        .where(_LIVE, _W.heartbeat_at < before)
        .values(state="dead", ended_at=now, end_reason=reason)
        .returning(worker_table)
    )
    return records(WorkerRecord, conn.execute(statement))


def get(conn: Connection, worker_id: str) -> WorkerRecord | None:
    """A worker by its id (primary key)."""
    return record(
        WorkerRecord, conn.execute(select(worker_table).where(_W.id == worker_id)).first()
    )


def live(conn: Connection) -> list[WorkerRecord]:
    """Workers that are up or draining, oldest first (index ix_worker_live)."""
    statement = select(worker_table).where(_LIVE).order_by(_W.started_at)
    return records(WorkerRecord, conn.execute(statement))


def latest(conn: Connection, limit: int = 20) -> list[WorkerRecord]:
    """The workers that started last, living or not (index ix_worker_started)."""
    statement = select(worker_table).order_by(_W.started_at.desc()).limit(limit)
    return records(WorkerRecord, conn.execute(statement))


def old(conn: Connection, before: int, limit: int) -> list[str]:
    """Ids of workers that ended before a moment, and of which nothing that runs speaks any more.

    Oldest start first (indexes ix_worker_started, ix_task_attempt_open, ix_task_processing).
    """
    open_attempt = exists().where(
        attempt_table.c.worker_id == _W.id, text("task_attempt.finished_at IS NULL")
    )
    running_task = exists().where(
        task_table.c.worker_id == _W.id, text("task.status = 'processing'")
    )
    statement = (
        select(_W.id)
        .where(_W.started_at < before, _W.ended_at < before, ~open_attempt, ~running_task)
        .order_by(_W.started_at)
        .limit(limit)
    )
    return list(conn.execute(statement).scalars())


def remove(conn: Connection, worker_ids: Sequence[str]) -> None:
    """Removes workers (primary key)."""
    conn.execute(delete(worker_table).where(_W.id.in_(worker_ids)))
