"""The ways out of `processing`: one transaction, fenced, with the spans that tell of it.

Everything that ends an attempt comes through `settle`: the child that ran it (live span), the
worker's parent that killed or lost it, the reaper, a cancellation. The loser of a race writes
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.domain.fingerprint import Cause, cause_of
from app.domain.records import AttemptRecord, TaskRecord
from app.domain.task import FAILED_OUTCOMES, TRANSITIONS, Decision, Move, Status
from app.service import spans
from app.service.core import Core
from app.service.failures.notice import Failure, notice
from app.service.task_logs import task_log, verdict_log
from app.store import attempts, events, tasks, workers
from app.store.database import Connection
from telemetry import outbox

#: Makes the bytes of a live attempt's spans, ended as its row: (payload, number of spans).
LiveSpans = Callable[[AttemptRecord], tuple[bytes, int]]

#: How an attempt's row tells a move.
OUTCOMES = {
    Move.COMPLETE: "completed",
    Move.FAIL: "failed",
    Move.TIME_OUT: "timeout",
    Move.CANCEL: "cancelled",
    Move.RETRY_LATER: "retry",
    Move.WAIT_FOR_CAPACITY: "capacity",
    Move.HAND_BACK: "handed_back",
    Move.LOSE_WORKER: "lost",
}
#: The type of a failure that has none.
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a running attempt, and why.

    Attributes:
        decision: The move and what it counts.
        outcome: How the attempt's row tells it; None takes it from the move.
        words: What failures are told apart by in the place of `error_message`, where that names
            what is no part of the cause: a worker, a limit.
        frames: Own frames that the error passed, the innermost first.
        rebuilt_reason: Why the attempt's span is rebuilt from its row; None where it is live.
        audio: Columns of the finished audio (`audio_id`, `audio_duration_ms`, `audio_bytes`).
    """

    decision: Decision
    outcome: str | None = None
    error_type: str | None = None
    error_kind: str | None = None
    error_message: str | None = None
    error_code: str | None = None
    words: str | None = None
    frames: tuple[str, ...] = ()
    exit_signal: int | None = None
    exit_code: int | None = None
    rebuilt_reason: str | None = None
    audio: dict[str, Any] | None = None

    @property
    def told_outcome(self) -> str:
        """How the attempt's row tells it."""
        return self.outcome or OUTCOMES[self.decision.move]

    @property
    def cause(self) -> Cause | None:
        """Why the attempt failed; None where it did not."""
        if self.told_outcome not in FAILED_OUTCOMES:
            return None
        message = self.words if self.words is not None else self.error_message or ""
        error_type = self.error_type or _UNKNOWN
        return cause_of(error_type, message, code=self.error_code, frames=self.frames)


def settle(
    core: Core,
    conn: Connection,
    task_id: int,
    attempt: int,
    verdict: Verdict,
    *,
    now: int,
    live: LiveSpans | None = None,
) -> TaskRecord | None:
    """Gives a running attempt its verdict; None where someone else owns the task now.

    Writes the task row, the attempt row, an event, and to the outbox: the attempt's span (live, or
    rebuilt from its row), the deadline marker where this is the first to see it passed, and the
    task span where the status is final.
    """
    flagged = tasks.flag_deadline(conn, task_id, attempt, now)
    held = tasks.hold(conn, task_id, attempt)
    if held is None:
        return None
    cause = verdict.cause
    if flagged is not None:
        attempts.flag(conn, task_id, attempt, flagged.timed_out_at or now)
    # before the task: who removes both takes their counters in this order, too
    values = _attempt_values(conn, core, verdict, (task_id, attempt), now)
    values |= {"language": held.language or ""} | _cause_values(conn, held.text_id, cause)
    row = attempts.end(conn, task_id, attempt, values)
    task = _move(conn, task_id, attempt, verdict, cause, now=now, by=core.actor)
    if task is None:
        return None
    if row is not None:
        _notice(core, conn, row, cause, now)
        _write_spans(conn, task, row, verdict, now=now, live=live, is_flagged=flagged is not None)
        _tell(core, conn, task, row, verdict, now=now)
    _write_event(conn, core, task, verdict, attempt=attempt, now=now)
    if task.is_final:
        spans.ended(conn, task, now)
    return task


def _move(
    conn: Connection,
    task_id: int,
    attempt: int,
    verdict: Verdict,
    cause: Cause | None,
    *,
    now: int,
    by: str,
) -> TaskRecord | None:
    decision = verdict.decision
    status = TRANSITIONS[Status.PROCESSING, decision.move]
    values = _error_values(verdict, status) | (verdict.audio or {})
    if decision.move is Move.LOSE_WORKER:
        reason = (verdict.rebuilt_reason or "")[:200]
        values |= {"rescued_at": now, "rescued_by": by[:160], "rescued_reason": reason}
    if status.is_final:
        values |= {"status": str(status), "wait_reason": "claimed"}
        values |= {} if cause is None else {"fingerprint": cause.fingerprint}
        values |= {"phase_permille": 1000} if status is Status.COMPLETED else {}
    else:
        values |= {"wait_reason": decision.wait_reason, "not_before": now + decision.delay_us}
    leave = tasks.Exit(
        counts_try=decision.counts_try, counts_loss=decision.counts_loss, values=values
    )
    way_out = tasks.finish if status.is_final else tasks.give_back
    return way_out(conn, task_id, attempt, now, leave)


def _error_values(verdict: Verdict, status: Status) -> dict[str, Any]:
    if status in {Status.COMPLETED, Status.CANCELLED}:
        return {"error_type": None, "error_kind": None, "error_message": None}
    if verdict.error_type is None:
        return {}
    return {
        "error_type": verdict.error_type,
        "error_kind": verdict.error_kind,
        "error_message": (verdict.error_message or "")[:1000],
    }


def _cause_values(conn: Connection, text_id: int, cause: Cause | None) -> dict[str, Any]:
    """What the attempt's row says of its cause, and whether the text had failed so before."""
    if cause is None:
        return {}
    return {
        "fingerprint": cause.fingerprint,
        "template": cause.template,
        "frames": cause.frames,
        "is_repeat": attempts.has_failed_so(conn, text_id, cause.fingerprint),
    }


def _notice(
    core: Core, conn: Connection, row: AttemptRecord, cause: Cause | None, now: int
) -> None:
    """Sees to the group of a failure: after all counters, whose order everybody keeps."""
    if cause is None or row.source == "canary":
        return
    failure = Failure(
        cause=cause,
        error_type=row.error_type or _UNKNOWN,
        error_kind=row.error_kind,
        error_code=row.error_code,
        release=row.release,
    )
    notice(core, conn, failure, now)


def _attempt_values(
    conn: Connection, core: Core, verdict: Verdict, key: tuple[int, int], now: int
) -> dict[str, Any]:
    values = {
        "finished_at": now,
        "outcome": verdict.told_outcome,
        "error_type": verdict.error_type,
        "error_kind": verdict.error_kind,
        "error_code": verdict.error_code,
        "error_message": (verdict.error_message or "")[:1000] or None,
        "exit_signal": verdict.exit_signal,
        "exit_code": verdict.exit_code,
    }
    if verdict.rebuilt_reason is None:
        return values
    values |= {"rebuilt_by": core.actor[:160], "rebuilt_reason": verdict.rebuilt_reason[:200]}
    last = attempts.get(conn, *key)
    worker = workers.get(conn, last.worker_id) if last is not None else None
    return values | {"last_heartbeat_at": worker.heartbeat_at if worker is not None else None}


def _write_spans(
    conn: Connection,
    task: TaskRecord,
    row: AttemptRecord,
    verdict: Verdict,
    *,
    now: int,
    live: LiveSpans | None,
    is_flagged: bool,
) -> None:
    if is_flagged:
        spans.deadline_passed(conn, task, row, now)
    if live is not None:
        payload, count = live(row)
        spans.add(conn, task, payload, count, now=now, rank=outbox.RANK_DETAIL)
    elif verdict.rebuilt_reason is not None:
        spans.rebuilt_attempt(conn, task, row, now)


def _tell(
    core: Core,
    conn: Connection,
    task: TaskRecord,
    row: AttemptRecord,
    verdict: Verdict,
    *,
    now: int,
) -> None:
    decision = verdict.decision
    told = verdict_log.told_of(task, row, decision.move, delay_us=decision.delay_us, by=core.actor)
    task_log.tell(core, conn, told, now)


def _write_event(
    conn: Connection, core: Core, task: TaskRecord, verdict: Verdict, *, attempt: int, now: int
) -> None:
    parts = [verdict.error_type, verdict.error_message, verdict.rebuilt_reason]
    detail = "; ".join(part for part in parts if part)[:1000]
    events.add(
        conn,
        {
            "task_id": task.id,
            "attempt": attempt,
            "at": now,
            "kind": str(verdict.decision.move),
            "from_status": "processing",
            "to_status": task.status,
            "by": core.actor,
            "detail": detail or None,
        },
    )
