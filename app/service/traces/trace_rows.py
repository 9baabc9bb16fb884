"""What the rows of a task say that its trace must hold, span by span."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.records import AttemptRecord, TaskRecord
from app.service import spans
from app.store import traces
from app.store.database import Connection
from app.store.traces import SegmentSpan
from telemetry import codec, names, recovery
from telemetry.spans import DecodedSpan, SpanRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRows:
    """The rows of a task that is over."""

    task: TaskRecord
    attempts: Sequence[AttemptRecord]
    segments: Sequence[SegmentSpan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A span that must be there.

    Attributes:
        whole: The span to the last attribute, where it is made from rows alone; else only what
            follows is known of it.
        times: Start and end in microseconds, where a row has them.
        attributes: Those that it must have, among others; None: it must not have it.
        status: `unset` or `error`; None where the rows do not say.
    """

    span_id: str
    name: str
    parent_id: str
    whole: DecodedSpan | None = None
    times: tuple[int, int] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    status: str | None = None


def read(conn: Connection, found: Sequence[TaskRecord]) -> list[TraceRows]:
    """The rows of these tasks, in their order (two statements)."""
    task_ids = [task.id for task in found]
    attempts = traces.attempts_of(conn, task_ids)
    segments = traces.segment_spans_of(conn, task_ids)
    return [
        TraceRows(task=task, attempts=attempts[task.id], segments=segments[task.id])
        for task in found
    ]


def expected(rows: TraceRows) -> list[Expected]:
    """Every span that the rows of a task speak of, the task's own first.

    What an attempt did beside its segments (splitting, encoding, calls of the engine) has no row:
    it is found by its parents.
    """
    task = rows.task
    wanted = [_made_from_row(spans.task_span(task))]
    for attempt in rows.attempts:
        wanted.append(_made_from_row(_wait_before(task, attempt)))
        wanted.append(_made_from_row(recovery.start_marker(spans.identity(task, attempt))))
        if attempt.finished_at is not None:
            wanted.append(_attempt(task, attempt, attempt.finished_at))
        if attempt.timed_out_at is not None:
            wanted.append(_made_from_row(recovery.deadline_marker(spans.identity(task, attempt))))
    if (last := spans.last_wait(task)) is not None:
        wanted.append(_made_from_row(last))
    by_number = {attempt.attempt: attempt.span_id for attempt in rows.attempts}
    return wanted + [
        Expected(
            span_id=segment.span_id,
            name=names.SPAN_SEGMENT,
            parent_id=by_number.get(segment.attempt, ""),
            attributes={names.SEGMENT_INDEX: segment.idx},
        )
        for segment in rows.segments
    ]


def _made_from_row(record: SpanRecord) -> Expected:
    """The span as it went out: encoded and read back, cleaned as it was then."""
    [whole] = codec.decode(codec.encode([record], {}, ""))
    return Expected(
        span_id=whole.span_id, name=whole.name, parent_id=whole.parent_span_id or "", whole=whole
    )


def _wait_before(task: TaskRecord, attempt: AttemptRecord) -> SpanRecord:
    return spans.wait_span(
        replace(task, attempt=attempt.attempt),
        owner_span_id=attempt.span_id,
        start=attempt.queued_at,
        end=attempt.claimed_at,
        reason=attempt.wait_reason,
    )


def _attempt(task: TaskRecord, attempt: AttemptRecord, finished_at: int) -> Expected:
    """An attempt's span was live, or was rebuilt by whoever gave the verdict."""
    error_type = _error_type(attempt)
    is_late = attempt.timed_out_at is not None
    rebuilt = {} if attempt.rebuilt_by is None else {names.SPAN_RECOVERED: True}
    return Expected(
        span_id=attempt.span_id,
        name=names.SPAN_ATTEMPT,
        parent_id=task.span_id,
        times=(attempt.claimed_at, finished_at),
        attributes={
            names.TASK_ID: str(task.id),
            names.ATTEMPT: attempt.attempt,
            names.WORKER_NAME: attempt.worker_name,
            names.RELEASE: attempt.release,
            names.ATTEMPT_OUTCOME: attempt.outcome,
            names.ERROR_TYPE: error_type,
            names.EXIT_SIGNAL: attempt.exit_signal,
            names.EXIT_CODE: attempt.exit_code,
            **({names.DEADLINE_EXCEEDED: True} if is_late else {}),
            **rebuilt,
        },
        status="unset" if error_type is None else "error",
    )


def _error_type(attempt: AttemptRecord) -> str | None:
    """What the span of an attempt says of its failure; a rebuilt one fails only where it ended."""
    if attempt.rebuilt_by is None:
        return attempt.error_type
    has_failed = attempt.outcome in spans.FAILED_OUTCOMES
    return (attempt.error_type or spans.LOST) if has_failed else None
