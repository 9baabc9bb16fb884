"""A task with everything a person may ask of it, read in one snapshot."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import NotFoundError
from app.domain.records import (
    AttemptRecord,
    AudioRecord,
    EventRecord,
    SegmentRecord,
    SubmissionRecord,
    TaskRecord,
    TextRecord,
    WorkerRecord,
)
from app.domain.task import LEASE_US
from app.service import reason, waterfall
from app.service.core import Core
from app.service.progress import progress_ratio
from app.service.reason import Reason, Surroundings
from app.service.spent import Spent, spent
from app.service.task_path import DeadlineSum, Step, deadline_of, path_of
from app.service.traces import trace_state
from app.service.traces.trace_state import TraceState
from app.service.waterfall import Told, Waterfall
from app.store import (
    attempts,
    audios,
    events,
    reports,
    segments,
    submissions,
    tasks,
    texts,
    workers,
)
from app.store.database import Connection
from telemetry import outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """An attempt, and what its row and its segments add up to.

    Attributes:
        ran_us: Until its end, or until now.
        segments_made: Segments that it committed, taken over ones included.
        worker_state: Of that start of the worker: up, draining, stopped, dead; None if forgotten.
    """

    record: AttemptRecord
    waited_us: int
    ran_us: int
    segments_made: int
    worker_state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSummary:
    """The segments in numbers; `blocks` are at most 24 shares of them that are done, 0 to 1."""

    total: int
    done: int
    waiting: int
    pauses: int
    reused: int
    tries: int
    blocks: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Everything about a task at one moment (`now`, the database's time).

    Attributes:
        text: The text it was made for, deleted or not, without its content (see `reading`).
        followers: Other texts that it answers for, without their content.
        queue_position: From 1; None where it does not wait.
        trace: Where its trace is, as the row knows.
        retried_by: The task that a manual retry of this one made; None where there is none.
        has_origin: Whether the task that this one is a retry of is still there.
    """

    task: TaskRecord
    text: TextRecord
    audio: AudioRecord | None
    attempts: tuple[AttemptView, ...]
    segments: SegmentSummary
    events: tuple[EventRecord, ...]
    submissions: tuple[SubmissionRecord, ...]
    followers: tuple[TextRecord, ...]
    queue_position: int | None
    retried_by: int | None
    has_origin: bool
    progress: float
    reason: Reason
    path: tuple[Step, ...]
    deadline: DeadlineSum | None
    spent: Spent
    waterfall: Waterfall
    trace: TraceState
    now: int

    @property
    def can_cancel(self) -> bool:
        """Whether a request for it can still be taken back."""
        return not self.task.is_final

    @property
    def can_retry(self) -> bool:
        """Whether its text can be spoken again now."""
        return self.text.deleted_at is None and self.text.state in {
            "failed",
            "timeout",
            "cancelled",
        }


#: Blocks of a progress bar at most.
MAX_BLOCKS = 24


def task_view(core: Core, task_id: int) -> TaskView:
    """Reads a task with all that belongs to it.

    Raises:
        NotFoundError: No such task.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        task = tasks.get(conn, task_id)
        if task is None:
            message = f"task {task_id} does not exist"
            raise NotFoundError(message)
        return _view(core, conn, task, now)


def _view(core: Core, conn: Connection, task: TaskRecord, now: int) -> TaskView:
    text = reports.text_head(conn, task.text_id)
    if text is None:
        message = f"the text of task {task.id} is gone"
        raise NotFoundError(message)
    tried = attempts.of_task(conn, task.id)
    rows = segments.outline(conn, task.id)
    told = Told(
        task=task,
        attempts=tried,
        segments=rows,
        payloads=_payloads(conn, task),
        now=now,
    )
    pieces = waterfall.pieces_of(told)
    happened = events.of_task(conn, task.id)
    position = tasks.position(conn, task) if task.status == "pending" else None
    return TaskView(
        task=task,
        text=text,
        audio=audios.get(conn, task.audio_id) if task.audio_id is not None else None,
        attempts=_attempt_views(conn, tried, rows, now),
        segments=summary(task, rows),
        events=tuple(happened),
        submissions=tuple(submissions.of_task(conn, task.id)),
        followers=tuple(
            other for other in reports.followers(conn, task.id) if other.id != task.text_id
        ),
        queue_position=position,
        retried_by=_retried_by(conn, task),
        has_origin=task.retry_of is not None and tasks.get(conn, task.retry_of) is not None,
        progress=progress_ratio(task),
        reason=reason.explain(task, surroundings(conn, task, now, position)),
        path=path_of(task, tried, happened),
        deadline=deadline_of(task, tried, now),
        spent=spent(task, tried, rows, [one for one in pieces.found if one.kind == "engine"], now),
        waterfall=waterfall.draw(told, pieces),
        trace=trace_state.of_row(core, task, now),
        now=now,
    )


def _payloads(conn: Connection, task: TaskRecord) -> list[bytes]:
    """The outbox's bytes of the task, those of the request that made it among them."""
    return outbox.spans_of_task(conn, task.id)


def surroundings(
    conn: Connection, task: TaskRecord, now: int, position: int | None
) -> Surroundings:
    """What a reason needs beyond the row."""
    worker = workers.get(conn, task.worker_id) if task.worker_id is not None else None
    return Surroundings(
        now=now,
        position=position,
        has_workers=any(is_alive(worker, now) for worker in workers.live(conn)),
        is_worker_lost=task.status == "processing" and not is_alive(worker, now),
    )


def is_alive(worker: WorkerRecord | None, now: int) -> bool:
    """Whether a worker has shown itself within its lease."""
    return (
        worker is not None
        and worker.state in {"up", "draining"}
        and worker.heartbeat_at >= now - LEASE_US
    )


def _attempt_views(
    conn: Connection,
    tried: Sequence[AttemptRecord],
    rows: Sequence[SegmentRecord],
    now: int,
) -> tuple[AttemptView, ...]:
    made: dict[int, int] = {}
    for row in rows:
        if row.attempt is not None and row.status == "done":
            made[row.attempt] = made.get(row.attempt, 0) + 1
    known = reports.workers(conn, sorted({attempt.worker_id for attempt in tried}))
    return tuple(
        AttemptView(
            record=attempt,
            waited_us=attempt.claimed_at - attempt.queued_at,
            ran_us=(attempt.finished_at if attempt.finished_at is not None else now)
            - attempt.claimed_at,
            segments_made=made.get(attempt.attempt, 0),
            worker_state=known[attempt.worker_id].state if attempt.worker_id in known else None,
        )
        for attempt in tried
    )


def summary(task: TaskRecord, rows: Sequence[SegmentRecord]) -> SegmentSummary:
    """The segments in numbers; before the text is split they are all 0."""
    total = len(rows)
    waiting = sum(row.status == "waiting" for row in rows)
    return SegmentSummary(
        total=task.segment_count if task.segment_count is not None else total,
        done=total - waiting,
        waiting=waiting,
        pauses=sum(row.status == "pause" for row in rows),
        reused=sum(row.reused for row in rows),
        tries=sum(row.tries for row in rows),
        blocks=_blocks(rows),
    )


def _blocks(rows: Sequence[SegmentRecord]) -> tuple[float, ...]:
    count = min(MAX_BLOCKS, len(rows))
    edges = [len(rows) * index // count for index in range(count + 1)] if count else []
    return tuple(
        round(sum(row.status != "waiting" for row in rows[begin:end]) / (end - begin), 4)
        for begin, end in itertools.pairwise(edges)
    )


def _retried_by(conn: Connection, task: TaskRecord) -> int | None:
    later = [other.id for other in tasks.of_text(conn, task.text_id) if other.retry_of == task.id]
    return max(later, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSegment:
    """A segment as people read and hear it; `offset_ms` is None until the audio is whole."""

    idx: int
    text: str
    language: str | None
    status: str
    attempt: int | None
    reused: bool
    tries: int
    duration_ms: int | None
    offset_ms: int | None
    rms_dbfs: float | None
    start: int
    stop: int
    started_at: int | None
    finished_at: int | None
    span_id: str | None
    marks: tuple[tuple[str, int, int, int], ...]


def reading(
    core: Core, task_id: int, *, first: int = 0, limit: int = 500, with_marks: bool = False
) -> tuple[list[ReadingSegment], int]:
    """Segments `first`… of a task with their words, and how many it has in all.

    Args:
        core: Where to read.
        task_id: The task.
        first: Index of the first one wanted.
        limit: How many at most.
        with_marks: Whether to read the word marks (kind, start, end, at_ms) too.

    Raises:
        NotFoundError: No such task.
    """
    with core.database.read() as conn:
        task = tasks.get(conn, task_id)
        content = texts.content(conn, task.text_id) if task is not None else None
        if content is None:
            message = f"task {task_id} does not exist"
            raise NotFoundError(message)
        rows = (segments.of_task if with_marks else segments.outline)(conn, task_id)
    chosen = [row for row in rows if first <= row.idx < first + limit]
    return [_reading(content, row) for row in chosen], len(rows)


def _reading(content: str, row: SegmentRecord) -> ReadingSegment:
    marks = json.loads(row.marks) if row.marks else []
    return ReadingSegment(
        idx=row.idx,
        text=content[row.start : row.stop],
        language=row.language,
        status=row.status,
        attempt=row.attempt,
        reused=row.reused,
        tries=row.tries,
        duration_ms=row.duration_ms,
        offset_ms=row.offset_ms,
        rms_dbfs=row.rms_dbfs,
        start=row.start,
        stop=row.stop,
        started_at=row.started_at,
        finished_at=row.finished_at,
        span_id=row.span_id,
        marks=tuple((kind, start, end, at_ms) for kind, start, end, at_ms in marks),
    )
