"""Cancel: one request is taken back; the task itself ends with the last request that wants it."""

from dataclasses import dataclass

from app.domain.errors import ConflictError, NotFoundError
from app.domain.records import TaskRecord, TextRecord
from app.domain.task import Decision, Move
from app.service import spans
from app.service.core import Core
from app.service.finish import Verdict, settle
from app.service.task_logs import submit_log
from app.store import events, submissions, tasks, texts
from app.store.database import Connection

_REASON = "cancelled while it ran"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What a cancellation did: the task as it is now, and how many requests still want it."""

    task: TaskRecord
    is_task_cancelled: bool
    still_wanted_by: int


def cancel_text(core: Core, text_id: int) -> Cancelled:
    """Takes back the request of one text.

    Raises:
        NotFoundError: No such text.
        ConflictError: Its task is over, or the request was taken back before.
    """

    def work(conn: Connection) -> Cancelled:
        text = texts.get(conn, text_id)
        if text is None or text.task_id is None:
            message = f"text {text_id} does not exist"
            raise NotFoundError(message)
        task = _live_task(conn, text.task_id)
        if text.cancelled_at is not None:
            message = f"the request of text {text_id} was cancelled before"
            raise ConflictError(message)
        return _withdraw(core, conn, task, text)

    return _ring_after(core, core.database.run(work))


def cancel_task(core: Core, task_id: int, *, everyone: bool = False) -> Cancelled:
    """Takes back the request that made a task; with `everyone`, those that follow it too.

    Raises:
        NotFoundError: No such task.
        ConflictError: It is over, or the request that made it was taken back before.
    """

    def work(conn: Connection) -> Cancelled:
        task = _live_task(conn, task_id)
        if everyone:
            for text_id in texts.following(conn, task_id):
                _take_back(core, conn, text_id)
            return _end(core, conn, task)
        text = texts.get(conn, task.text_id)
        if text is None or text.cancelled_at is not None:
            message = (
                f"the request that made task {task_id} was cancelled before; it goes on for "
                "requests that follow it: cancel them all to end it"
            )
            raise ConflictError(message)
        return _withdraw(core, conn, task, text)

    return _ring_after(core, core.database.run(work))


def _ring_after(core: Core, result: Cancelled) -> Cancelled:
    if result.is_task_cancelled:
        core.ring()
    return result


def _live_task(conn: Connection, task_id: int) -> TaskRecord:
    task = tasks.get(conn, task_id, lock=True)
    if task is None:
        message = f"task {task_id} does not exist"
        raise NotFoundError(message)
    if task.is_final:
        message = (
            f"task {task_id} is {task.status}; only a pending or processing one can be cancelled"
        )
        raise ConflictError(message)
    return task


def _withdraw(core: Core, conn: Connection, task: TaskRecord, text: TextRecord) -> Cancelled:
    _take_back(core, conn, text.id)
    wanted = submissions.count_open(conn, task.id)
    if wanted == 0:
        return _end(core, conn, task)
    now = core.database.now_us(conn)
    detail = f"text {text.id} takes its request back; {wanted} others still want the task"
    _event(conn, core, task, now, kind="withdraw", to_status=None, detail=detail)
    submit_log.withdrawn(core, conn, task, wanted, now)
    return Cancelled(task=task, is_task_cancelled=False, still_wanted_by=wanted)


def _take_back(core: Core, conn: Connection, text_id: int) -> None:
    now = core.database.now_us(conn)
    submissions.cancel_of_text(conn, text_id, now)
    texts.cancel(conn, text_id, now)


def _end(core: Core, conn: Connection, task: TaskRecord) -> Cancelled:
    """Cancels the task: at once final; a worker that runs it kills the attempt when it notices."""
    now = core.database.now_us(conn)
    if task.status == "processing":
        verdict = Verdict(decision=Decision(move=Move.CANCEL), rebuilt_reason=_REASON)
        ended = settle(core, conn, task.id, task.attempt, verdict, now=now)
    else:
        ended = tasks.end_pending(conn, task.id, now, {"status": "cancelled"})
        if ended is not None:
            _event(conn, core, ended, now, kind="cancel", to_status="cancelled", detail=None)
            submit_log.cancelled(core, conn, ended, now)
            spans.ended(conn, ended, now)
    if ended is None:
        message = f"task {task.id} ended at this very moment; look at it again"
        raise ConflictError(message)
    return Cancelled(task=ended, is_task_cancelled=True, still_wanted_by=0)


def _event(
    conn: Connection,
    core: Core,
    task: TaskRecord,
    now: int,
    *,
    kind: str,
    to_status: str | None,
    detail: str | None,
) -> None:
    events.add(
        conn,
        {
            "task_id": task.id,
            "at": now,
            "kind": kind,
            "from_status": "pending" if to_status else None,
            "to_status": to_status,
            "by": core.actor,
            "detail": detail,
        },
    )
