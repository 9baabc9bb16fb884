"""Verdicts from outside an attempt: its process was killed, lost, late, or must be handed back.

Given by the worker's parent process (`lose`, `time_out`, `hand_back`); the reaper has a module of
its own. Each is one fenced transaction; False means that someone else settled the attempt first.
"""

import random

from app.domain.task import Backoff, Decision, Move, Tries, decide_loss
from app.service import spans
from app.service.core import Core
from app.service.finish import Verdict, settle
from app.service.task_logs import attempt_log, task_log
from app.store import attempts, tasks
from app.store.database import Connection


def lose(
    core: Core,
    task_id: int,
    attempt: int,
    *,
    reason: str,
    exit_signal: int | None = None,
    exit_code: int | None = None,
) -> bool:
    """Settles an attempt whose process died, or that none runs: it runs again, or is poison."""

    def work(conn: Connection) -> bool:
        task = tasks.get(conn, task_id, lock=True)
        if task is None or task.attempt != attempt or task.status != "processing":
            return False
        now = core.database.now_us(conn)
        verdict = loss_verdict(
            Tries(
                tries_used=task.tries_used,
                max_attempts=task.max_attempts,
                lost_count=task.lost_count,
            ),
            reason=reason,
            backoff=Backoff(base_s=core.settings.backoff_s),
            exit_signal=exit_signal,
            exit_code=exit_code,
        )
        return settle(core, conn, task_id, attempt, verdict, now=now) is not None

    return core.database.run(work)


def loss_verdict(
    tries: Tries,
    *,
    reason: str,
    backoff: Backoff,
    words: str | None = None,
    exit_signal: int | None = None,
    exit_code: int | None = None,
) -> Verdict:
    """The verdict on a lost attempt; `words` as in `Verdict`."""
    jitter = random.random()  # noqa: S311 - not a secret
    return Verdict(
        decision=decide_loss(tries, jitter, backoff),
        outcome="lost",
        error_type="worker_lost",
        error_kind="retryable",
        error_message=reason,
        words=words,
        exit_signal=exit_signal,
        exit_code=exit_code,
        rebuilt_reason=reason,
    )


def time_out(
    core: Core, task_id: int, attempt: int, *, reason: str, words: str | None = None
) -> bool:
    """Settles an attempt that ran past its deadline: `timeout`, which is final."""

    def work(conn: Connection) -> bool:
        now = core.database.now_us(conn)
        verdict = timeout_verdict(reason, words)
        return settle(core, conn, task_id, attempt, verdict, now=now) is not None

    return core.database.run(work)


def timeout_verdict(reason: str, words: str | None = None) -> Verdict:
    """The verdict on an attempt past its deadline; `words` as in `Verdict`."""
    return Verdict(
        decision=Decision(move=Move.TIME_OUT),
        error_type="deadline_exceeded",
        error_kind="permanent",
        error_message=reason,
        words=words,
        rebuilt_reason=reason,
    )


def hand_back(core: Core, task_id: int, attempt: int, *, reason: str) -> bool:
    """Gives a healthy attempt back at its checkpoint (a drain); costs no try and no loss."""

    def work(conn: Connection) -> bool:
        now = core.database.now_us(conn)
        verdict = Verdict(
            decision=Decision(move=Move.HAND_BACK, wait_reason="handed_back"),
            rebuilt_reason=reason,
        )
        return settle(core, conn, task_id, attempt, verdict, now=now) is not None

    return core.database.run(work)


def flag_deadline(core: Core, task_id: int, attempt: int) -> bool:
    """Flags a running attempt past its deadline: row, attempt and marker from one statement.

    Whoever comes first writes; the marker's span id is derived, so two writers cannot make two.
    """

    def work(conn: Connection) -> bool:
        now = core.database.now_us(conn)
        task = tasks.flag_deadline(conn, task_id, attempt, now)
        row = attempts.get(conn, task_id, attempt)
        if task is None or row is None:
            return False
        attempts.flag(conn, task_id, attempt, task.timed_out_at or now)
        spans.deadline_passed(conn, task, row, now)
        task_log.tell(core, conn, attempt_log.deadline_passed(task, row), now)
        return True

    return core.database.run(work)


def flag_at_deadline(core: Core, task_id: int, attempt: int, *, deadline_us: int) -> int | None:
    """As `flag_deadline`, for the process that runs the attempt.

    Returns:
        The row's deadline where it is later than `deadline_us` (it was moved after a pause of the
        whole machine): nothing is flagged then. Else None.
    """
    with core.database.read() as conn:
        row = attempts.get(conn, task_id, attempt)
    if row is not None and row.deadline_at > deadline_us:
        return row.deadline_at
    flag_deadline(core, task_id, attempt)
    return None
