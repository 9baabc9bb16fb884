"""Canary: a task of our own goes the whole way: submitted, spoken, checked, found as a trace.

Each look moves it by a stage at most, so that who looks is never held up. It is a slot's work like
any other, and stands in no list and no number. `is_ok` stays None where nothing is wrong and yet
nothing was proven: other work held every slot, or a person paused or cancelled.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from app.domain.canary import Cause
from app.domain.errors import ConflictError, NotFoundError, StoreError, VoxtraceError
from app.domain.records import CanaryRecord, TaskRecord
from app.logs.logger import logger_of
from app.service import cancel, sweep
from app.service.canaries.canary_queue import why_it_waits
from app.service.canaries.canary_remains import put_away
from app.service.canaries.canary_trace import TRACE_US, TraceSource, trace_verdict
from app.service.core import Core
from app.service.submit import SubmitRequest, submit
from app.store import audios, canaries, tasks
from app.store.database import Connection
from telemetry import outbox

log = logger_of(__name__)

#: Canaries that are kept.
KEPT: Final = 100
#: Microseconds it may wait in the queue; while other work holds every slot, the longer one.
QUEUE_US: Final = 60_000_000
BUSY_US: Final = 600_000_000
#: Microseconds from its first claim to its last verdict, tries included.
RUN_US: Final = 120_000_000
#: Limit of one attempt, in seconds, and how many.
_TIMEOUT_S: Final = 60.0
_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a canary's trace is looked for with.

    Attributes:
        exports: Whether a collector is set.
        jaeger: Where traces are looked up; None where no Jaeger is set.
    """

    exports: bool
    jaeger: TraceSource | None


def newest(core: Core) -> tuple[CanaryRecord | None, int]:
    """The canary that began last, and the database's time."""
    with core.database.read() as conn:
        return canaries.newest(conn), core.database.now_us(conn)


def begin(core: Core) -> None:
    """Submits a new canary.

    Raises:
        StoreError: The database failed, so that not even the failure could be noted.
    """
    with core.database.read() as conn:
        started_at = core.database.now_us(conn)
    try:
        made = submit(core, _request())
    except StoreError:
        raise
    except VoxtraceError as error:
        refused = Cause(code="refused", words=f"the text was not accepted: {error.message}")
        _insert(core, _ended("submit", started_at, refused, is_ok=False), started_at)
        return
    _insert(core, {"stage": "queue", "task_id": made.task.id}, started_at)


def _request() -> SubmitRequest:
    """A text that nobody has spoken before: numbers are read by every voice."""
    numbers = " ".join(str(10 + secrets.randbelow(90)) for _ in range(6))
    return SubmitRequest(
        content=f"voxtrace: {numbers}.",
        title=f"Canary {numbers}",
        source="canary",
        timeout_s=_TIMEOUT_S,
        max_attempts=_ATTEMPTS,
    )


def _insert(core: Core, values: dict[str, Any], started_at: int) -> None:
    def work(conn: Connection) -> None:
        canaries.insert_canary(conn, {**values, "started_at": started_at})
        canaries.keep_last(conn, KEPT)

    core.database.run(work)


def look(core: Core, row: CanaryRecord, watch: Watch) -> None:
    """Looks how far a canary is, and moves it by a stage at most.

    Asks Jaeger at most once, outside any transaction.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        task = tasks.get(conn, row.task_id) if row.task_id is not None else None
    if task is None:
        gone = Cause(code="gone", words="its task was removed meanwhile")
        _change(core, row, _ended(row.stage, now, gone, is_ok=None))
    elif task.finished_at is not None:
        _look_at_ended(core, row, task, watch, now)
    elif task.started_at is None:
        _look_at_waiting(core, row, task, now)
    elif now - task.started_at > RUN_US:
        words = f"not over {(now - task.started_at) / 1e6:.0f} s after it began"
        _give_up(core, row, task, Cause(code="slow", words=words), now)
    elif row.stage == "queue":
        _change(core, row, {"stage": "run", "queue_us": _waited_us(task)})


def _look_at_waiting(core: Core, row: CanaryRecord, task: TaskRecord, now: int) -> None:
    waited_us = now - task.submitted_at
    if waited_us <= QUEUE_US:
        return
    with core.database.read() as conn:
        waits = why_it_waits(core, conn, task, now)
    if not waits.is_fault and waited_us <= BUSY_US:
        return
    words = f"queued for {waited_us / 1e6:.0f} s: {waits.words}"
    _give_up(core, row, task, Cause(code=waits.code, words=words, is_fault=waits.is_fault), now)


def _give_up(core: Core, row: CanaryRecord, task: TaskRecord, cause: Cause, now: int) -> None:
    """Ends it, task first; where the task ended at this very moment, it is looked at again."""
    try:
        cancel.cancel_task(core, task.id, everyone=True)
    except (ConflictError, NotFoundError):
        return
    _change(core, row, _ended(row.stage, now, cause, is_ok=_verdict(cause)), task)


def _look_at_ended(core: Core, row: CanaryRecord, task: TaskRecord, watch: Watch, now: int) -> None:
    if row.stage == "trace":
        _look_at_trace(core, row, task, watch, now)
        return
    problem = _outcome_problem(task) or _audio_problem(core, task)
    values: dict[str, Any] = {"queue_us": _waited_us(task), "run_us": task.run_us}
    if problem is None:
        values |= {"stage": "trace"}
    else:
        stage = "audio" if task.status == "completed" else "run"
        values |= _ended(stage, now, problem, is_ok=_verdict(problem))
    _change(core, row, values, task)


def _outcome_problem(task: TaskRecord) -> Cause | None:
    if task.status == "completed":
        return None
    if task.status == "cancelled":
        return Cause(code="cancelled", words="someone cancelled it", is_fault=False)
    why = f"{task.error_type}: {task.error_message}" if task.error_type else "it says no more"
    return Cause(code=task.status, words=f"its task ended as {task.status}: {why}")


def _audio_problem(core: Core, task: TaskRecord) -> Cause | None:
    """What is wrong with its audio: it must be valid, have a length, and lie in the storage."""
    with core.database.read() as conn:
        audio = audios.get(conn, task.audio_id) if task.audio_id is not None else None
    if audio is None:
        return Cause(code="no_audio", words="it completed without audio")
    if not audio.is_valid or not audio.duration_ms or not audio.size_bytes:
        return Cause(code="no_audio", words="its audio is not valid or has no length")
    try:
        with core.storage.open(audio.storage_key) as stream:
            stored_bytes = stream.seek(0, 2)
    except VoxtraceError as error:
        return Cause(code="no_audio", words=f"its audio cannot be read: {error.message}")
    if stored_bytes == audio.size_bytes:
        return None
    words = f"its audio has {stored_bytes} bytes in the storage, its row says {audio.size_bytes}"
    return Cause(code="no_audio", words=words)


def _look_at_trace(core: Core, row: CanaryRecord, task: TaskRecord, watch: Watch, now: int) -> None:
    with core.database.read() as conn:
        unsent = outbox.unsent_of_task(conn, task.id)
    elapsed_us = now - (task.finished_at or now)
    verdict = trace_verdict(task, watch.jaeger, unsent=unsent if watch.exports else None)
    if verdict.is_found:
        took_us = elapsed_us if watch.exports else None
        _change(core, row, _ended("done", now, verdict.cause, is_ok=True) | {"trace_us": took_us})
    elif elapsed_us > TRACE_US:
        _change(core, row, _ended(row.stage, now, verdict.cause, is_ok=False))


def _waited_us(task: TaskRecord) -> int | None:
    return task.started_at - task.submitted_at if task.started_at is not None else None


def _verdict(cause: Cause) -> bool | None:
    return False if cause.is_fault else None


def _change(
    core: Core, row: CanaryRecord, values: dict[str, Any], task: TaskRecord | None = None
) -> None:
    """Moves the row; with a task, its text and audio are put away, and the file after that."""
    if "finished_at" in values:
        _tell(row, values)

    def work(conn: Connection) -> str | None:
        canaries.change(conn, row.id, values)
        return put_away(conn, task, core.database.now_us(conn)) if task is not None else None

    file_key = core.database.run(work)
    if file_key is not None:
        sweep.remove_unused(core, file_key)


def _tell(row: CanaryRecord, values: dict[str, Any]) -> None:
    told = {"task_id": row.task_id, "stage": values["stage"], "cause": values["detail"]}
    match values["is_ok"]:
        case True:
            log.info("a canary came through", **told)
        case False:
            log.warning("a canary did not come through: a text would fare the same", **told)
        case _:
            log.info("a canary could not be tried", **told)


def _ended(stage: str, now: int, cause: Cause, *, is_ok: bool | None) -> dict[str, Any]:
    return {
        "stage": stage,
        "finished_at": now,
        "is_ok": is_ok,
        "cause": cause.code,
        "detail": cause.words[:500],
    }
