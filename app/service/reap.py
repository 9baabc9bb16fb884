"""Reap: what dead workers and late attempts held is given a verdict, from outside.

Runs in the duties process, never in the queue that it repairs. Every step is idempotent: two
reapers at once are harmless, because each verdict is fenced.
"""

from dataclasses import dataclass

from app.domain.fingerprint import Cause, cause_of
from app.domain.records import TaskRecord, WorkerRecord
from app.domain.task import LEASE_US, REAP_GRACE_US, Backoff, Tries
from app.logs.about import about_task
from app.logs.logger import logger_of
from app.service import spans, system_events, verdict
from app.service.core import Core
from app.service.failures.notice import EXPIRED, Failure, notice
from app.service.finish import Verdict, settle
from app.service.task_logs import submit_log
from app.store import attempts, events, tasks, workers
from app.store.database import Connection

log = logger_of(__name__)

_WAITED = "the task waited longer than it may (VOXTRACE_GIVE_UP_H)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """What one round did: tasks rescued, timed out, flagged, expired; workers declared dead."""

    rescued: int = 0
    timed_out: int = 0
    flagged: int = 0
    expired: int = 0
    dead_workers: int = 0

    @property
    def any(self) -> bool:
        """Whether anything was done that workers should hear of."""
        return bool(self.rescued or self.timed_out or self.expired)


def reap(core: Core) -> Reaped:
    """One round. Reads first: while all is well nothing is written."""
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        stale = [w for w in workers.live(conn) if w.heartbeat_at < now - LEASE_US]
        late = tasks.overdue(conn, now)
        old = tasks.expired(conn, now)
    dead = _declare_dead(core) if stale else 0
    flagged = sum(_flag(core, task) for task in late)
    with core.database.read() as conn:
        lost = tasks.lost(conn, core.database.now_us(conn) - REAP_GRACE_US)
    outcomes = [_settle_lost(core, task) for task in lost]
    expired = sum(_expire(core, task) for task in old)
    return Reaped(
        rescued=outcomes.count("rescued"),
        timed_out=outcomes.count("timed out"),
        flagged=flagged,
        expired=expired,
        dead_workers=dead,
    )


def _declare_dead(core: Core) -> int:
    reason = f"no heartbeat for {LEASE_US // 1_000_000} s; declared dead by {core.actor}"

    def work(conn: Connection) -> list[WorkerRecord]:
        now = core.database.now_us(conn)
        ended = workers.end_stale(conn, now - LEASE_US, now, reason)
        for worker in ended:
            system_events.worker_stopped(conn, core, now, worker)
        return ended

    dead = core.database.run(work)
    for worker in dead:
        log.warning(
            "a worker is dead: its tasks run elsewhere",
            worker=worker.name,
            host=worker.host,
            worker_pid=worker.pid,
            reason=reason,
        )
    return len(dead)


def _settle_lost(core: Core, seen: TaskRecord) -> str:
    """Looks at a task again under the writer lock, and settles it if it is still lost."""

    def work(conn: Connection) -> str:
        task = tasks.get(conn, seen.id, lock=True)
        if task is None or task.attempt != seen.attempt or task.status != "processing":
            return ""
        now = core.database.now_us(conn)
        worker = workers.get(conn, task.worker_id or "")
        state = worker.state if worker is not None else "missing"
        is_gone = state not in {"up", "draining"}
        is_late = (task.deadline_at or 0) <= now - (0 if is_gone else REAP_GRACE_US)
        if not is_gone and not is_late:
            return ""
        given = _late(task, state) if is_late else _lost(core, task, state)
        settled = settle(core, conn, task.id, task.attempt, given, now=now)
        return "" if settled is None else "timed out" if is_late else "rescued"

    with about_task(seen):
        return core.database.run(work)


def _flag(core: Core, task: TaskRecord) -> bool:
    with about_task(task):
        return verdict.flag_deadline(core, task.id, task.attempt)


def _late(task: TaskRecord, worker_state: str) -> Verdict:
    limit_s = task.timeout_us / 1_000_000
    return verdict.timeout_verdict(
        f"the limit of {limit_s:g} s passed and worker {task.worker_name} ({worker_state})"
        " did not end the attempt",
        words=f"the limit passed and its worker ({worker_state}) did not end the attempt",
    )


def _lost(core: Core, task: TaskRecord, worker_state: str) -> Verdict:
    tries = Tries(
        tries_used=task.tries_used, max_attempts=task.max_attempts, lost_count=task.lost_count
    )
    return verdict.loss_verdict(
        tries,
        reason=f"worker {task.worker_name} is {worker_state}: its lease ran out",
        words=f"its worker is {worker_state}: its lease ran out",
        backoff=Backoff(base_s=core.settings.backoff_s),
    )


def _expire(core: Core, waiting: TaskRecord) -> bool:
    """Fails a task that waited past its `give_up_at`."""

    def work(conn: Connection) -> bool:
        now = core.database.now_us(conn)
        cause = cause_of(EXPIRED, _WAITED)
        values = {
            "status": "failed",
            "error_type": EXPIRED,
            "error_kind": "permanent",
            "error_message": _WAITED,
            "fingerprint": cause.fingerprint,
        }
        task = tasks.end_pending(conn, waiting.id, now, values)
        if task is None:
            return False
        if task.source != "canary":
            notice(core, conn, _expired(cause), now)
        _event(conn, core, task, now)
        submit_log.expired(core, conn, task, now)
        spans.ended(conn, task, now)
        return True

    with about_task(waiting):
        return core.database.run(work)


def _expired(cause: Cause) -> Failure:
    """What a task that waited too long tells of its group: nothing ran it."""
    return Failure(
        cause=cause, error_type=EXPIRED, error_kind="permanent", error_code=None, release=""
    )


def _event(conn: Connection, core: Core, task: TaskRecord, now: int) -> None:
    values = {"task_id": task.id, "at": now, "kind": "expire", "by": core.actor}
    moved = {"from_status": "pending", "to_status": task.status, "detail": task.error_message}
    events.add(conn, values | moved)


def forgive_pause(core: Core, pause_us: int) -> int:
    """Moves live deadlines by a pause in which nothing ran (a laptop that slept); returns tasks."""

    def work(conn: Connection) -> int:
        now = core.database.now_us(conn)
        moved = tasks.move_deadlines(conn, pause_us, now)
        if moved:
            attempts.move_deadline(conn, pause_us)
        return moved

    return core.database.run(work)
