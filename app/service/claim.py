"""Claim: the queue's `get`. A pending row becomes processing, or nothing happens at all."""

from app.domain.claim import Claim
from app.domain.records import TaskRecord
from app.service import database_clock, spans
from app.service.core import Core
from app.service.task_logs import attempt_log, task_log
from app.store import attempts, events, tasks
from app.store.database import Connection
from telemetry import tracing


def claim_next(core: Core, *, worker_id: str, task_id: int | None = None) -> Claim | None:
    """Claims the first due task for a worker that is up, within the limits; None for nothing.

    Two steps: a read tells whether anything is due (the sweep asks four times a second), then one
    writing transaction claims. Runs on the worker's hub: about a millisecond.
    """
    with core.database.read() as conn:
        if not tasks.has_due(conn, core.database.now_us(conn)):
            return None
    return core.database.run(lambda conn: _claim(core, conn, worker_id, task_id))


def _claim(core: Core, conn: Connection, worker_id: str, task_id: int | None) -> Claim | None:
    tasks.lock_slots(conn)
    now, offset_us = database_clock.measured(core, conn)
    task = tasks.claim_next(
        conn,
        worker_id=worker_id,
        worker_name=core.settings.worker_name,
        host=core.host,
        release=core.settings.release,
        now=now,
        task_id=task_id,
    )
    if task is None:
        return None
    attempt = attempts.insert_claimed(conn, _attempt_of(core, task))
    events.add(
        conn,
        {
            "task_id": task.id,
            "attempt": task.attempt,
            "at": now,
            "kind": "claim",
            "from_status": "pending",
            "to_status": "processing",
            "by": core.actor,
        },
    )
    spans.claimed(conn, task, attempt)
    task_log.tell(core, conn, attempt_log.claimed(task, attempt), now)
    return _message(task, attempt.span_id, offset_us)


def _attempt_of(core: Core, task: TaskRecord) -> dict[str, object]:
    return {
        "task_id": task.id,
        "attempt": task.attempt,
        "span_id": f"{tracing.new_span_id():016x}",
        "worker_id": task.worker_id,
        "worker_name": task.worker_name,
        "host": core.host,
        "release": task.release,
        "engine": task.engine,
        "queued_at": task.queued_at,
        "wait_reason": task.wait_reason,
        "claimed_at": task.claimed_at,
        "deadline_at": task.deadline_at,
        "voice": task.voice,
        "language": task.language or "",
        "source": task.source,
        "char_count": task.char_count,
    }


def _message(task: TaskRecord, attempt_span_id: str, offset_us: int) -> Claim:
    return Claim(
        task_id=task.id,
        attempt=task.attempt,
        text_id=task.text_id,
        engine=task.engine,
        engine_version=task.engine_version,
        voice=task.voice,
        language=task.language,
        format=task.format,
        params=task.params,
        source=task.source,
        char_count=task.char_count,
        trace_id=task.trace_id,
        task_span_id=task.span_id,
        attempt_span_id=attempt_span_id,
        trace_state=task.trace_state,
        claimed_at=task.claimed_at or 0,
        deadline_at=task.deadline_at or 0,
        offset_us=offset_us,
        timeout_us=task.timeout_us,
        max_attempts=task.max_attempts,
        tries_used=task.tries_used,
        lost_count=task.lost_count,
        worker_id=task.worker_id or "",
        worker_name=task.worker_name or "",
        release=task.release or "",
    )


def begin(core: Core, claim: Claim, *, pid: int, ticks: int | None) -> bool:
    """Notes the process that runs a claim; False where the claim is no longer its (stop then)."""

    def work(conn: Connection) -> bool:
        now = core.database.now_us(conn)
        is_mine = tasks.progress(
            conn, claim.task_id, claim.attempt, now=now, phase="start", permille=0
        )
        if is_mine:
            attempts.begin(conn, claim.task_id, claim.attempt, pid=pid, ticks=ticks, at=now)
        return is_mine

    return core.database.run(work)
