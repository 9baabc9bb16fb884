"""Pieces of a waterfall: spans as it draws them, from the outbox's bytes or from rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.records import AttemptRecord, SegmentRecord, TaskRecord
from app.domain.task import FAILED_OUTCOMES
from telemetry import codec, names, tracing
from telemetry.spans import DecodedSpan

#: (key, value) pairs; the page has words for the keys.
Notes = tuple[tuple[str, str | int | float | bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One span to draw; moments are microseconds since the epoch, `end` None while it is open.

    `kind` is one of request, task, wait, quota, attempt, own, engine, store, late.
    """

    span_id: str
    parent_id: str | None
    name: str
    service: str
    kind: str
    start: int
    end: int | None
    status: str = "ok"
    is_rebuilt: bool = False
    notes: Notes = ()
    events: tuple[tuple[str, int], ...] = ()
    attempt: int | None = None
    segment: int | None = None


_KINDS: Final = {
    names.SPAN_TASK: "task",
    names.SPAN_QUEUE_WAIT: "wait",
    names.SPAN_ATTEMPT: "attempt",
    names.SPAN_SEGMENT: "own",
    names.SPAN_SPLIT: "own",
    names.SPAN_ENCODE: "own",
    names.SPAN_STORE: "store",
    names.SPAN_DEADLINE_EXCEEDED: "late",
}
_NOTED: Final = {
    names.ERROR_TYPE: "error_type",
    names.ATTEMPT_OUTCOME: "outcome",
    names.WAIT_REASON: "wait_reason",
    names.WORKER_NAME: "worker",
    names.SEGMENT_CHARACTERS: "characters",
    names.SEGMENT_REUSED: "reused",
    names.TEXT_SEGMENTS: "segments",
    names.LANGUAGE: "language",
    names.ENGINE_CODE: "code",
    names.EXIT_SIGNAL: "exit_signal",
    names.EXIT_CODE: "exit_code",
    names.RECOVERED_BY: "rebuilt_by",
    names.RECOVERED_REASON: "rebuilt_reason",
    names.LAST_HEARTBEAT_US: "last_heartbeat_at",
}
#: Row columns of an attempt that become notes, under the same names as above.
_ATTEMPT_NOTES: Final = (
    ("error_type", "error_type"),
    ("outcome", "outcome"),
    ("worker", "worker_name"),
    ("code", "error_code"),
    ("exit_signal", "exit_signal"),
    ("exit_code", "exit_code"),
    ("rebuilt_by", "rebuilt_by"),
    ("rebuilt_reason", "rebuilt_reason"),
    ("last_heartbeat_at", "last_heartbeat_at"),
)


def decoded(payloads: Iterable[bytes], trace_id: str) -> dict[str, DecodedSpan]:
    """The spans of a trace in these payloads, by span id (the same span twice is one)."""
    found: dict[str, DecodedSpan] = {}
    for payload in payloads:
        for span in codec.decode(payload):
            if span.trace_id == trace_id:
                found[span.span_id] = span
    return found


def of_span(span: DecodedSpan) -> Piece:
    """The piece of a span that was sent, or waits to be."""
    reason = span.attributes.get(names.WAIT_REASON)
    notes = [
        (key, value)
        for attribute, key in _NOTED.items()
        if isinstance(value := span.attributes.get(attribute), str | int | float | bool)
    ]
    return Piece(
        span_id=span.span_id,
        parent_id=span.parent_span_id,
        name=span.name,
        service=span.service,
        kind="quota" if reason == "capacity" else _kind(span),
        start=span.start_us,
        end=span.end_us,
        status="error" if span.is_error else "ok",
        is_rebuilt=bool(span.attributes.get(names.SPAN_RECOVERED)),
        notes=tuple(notes),
        events=tuple((event.name, event.at_us) for event in span.events),
        attempt=_number(span.attributes.get(names.ATTEMPT)),
        segment=_number(span.attributes.get(names.SEGMENT_INDEX)),
    )


def _kind(span: DecodedSpan) -> str:
    if span.kind is names.SpanKind.SERVER:
        return "request"
    if span.name.startswith(names.ENGINE_OPERATION):
        return "engine"
    return _KINDS.get(span.name, "own")


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def of_task(task: TaskRecord) -> Piece:
    """The task's own piece, from its row: the very times of its span."""
    failed = task.status in {"failed", "timeout"}
    return Piece(
        span_id=task.span_id,
        parent_id=task.parent_span_id,
        name=names.SPAN_TASK,
        service=names.SERVICE_ROWS,
        kind="task",
        start=task.submitted_at,
        end=task.finished_at,
        status=_status(ended=task.finished_at, failed=failed),
        notes=(("error_type", task.error_type or ""),) if failed else (),
    )


def of_attempt(task: TaskRecord, attempt: AttemptRecord) -> Piece:
    """An attempt's piece, from its row."""
    failed = attempt.outcome in FAILED_OUTCOMES
    values = [(key, getattr(attempt, column)) for key, column in _ATTEMPT_NOTES]
    late = attempt.timed_out_at is not None
    return Piece(
        span_id=attempt.span_id,
        parent_id=task.span_id,
        name=names.SPAN_ATTEMPT,
        service=names.SERVICE_WORKER,
        kind="attempt",
        start=attempt.claimed_at,
        end=attempt.finished_at,
        status=_status(ended=attempt.finished_at, failed=failed),
        is_rebuilt=attempt.rebuilt_by is not None,
        notes=tuple((key, value) for key, value in values if value is not None),
        events=((names.EVENT_DEADLINE_EXCEEDED, attempt.deadline_at),) if late else (),
        attempt=attempt.attempt,
    )


def of_wait(task: TaskRecord, attempt: AttemptRecord | None) -> Piece:
    """The wait before an attempt, or (None) the one that has not ended, or ended with the task."""
    owner = attempt.span_id if attempt else task.span_id
    reason = attempt.wait_reason if attempt else task.wait_reason
    return Piece(
        span_id=f"{tracing.derived_span_id(int(owner, 16), 'wait'):016x}",
        parent_id=task.span_id,
        name=names.SPAN_QUEUE_WAIT,
        service=names.SERVICE_ROWS,
        kind="quota" if reason == "capacity" else "wait",
        start=attempt.queued_at if attempt else task.queued_at,
        end=attempt.claimed_at if attempt else task.finished_at,
        status="ok" if attempt or task.is_final else "open",
        notes=(("wait_reason", reason),),
        attempt=attempt.attempt if attempt else task.attempt + 1,
    )


def of_segment(segment: SegmentRecord, attempt: AttemptRecord) -> Piece:
    """A committed segment's piece, from its row."""
    return Piece(
        span_id=segment.span_id or f"segment-{segment.idx}",
        parent_id=attempt.span_id,
        name=names.SPAN_SEGMENT,
        service=names.SERVICE_WORKER,
        kind="own",
        start=segment.started_at or attempt.claimed_at,
        end=segment.finished_at,
        notes=(("characters", segment.stop - segment.start), ("reused", segment.reused)),
        attempt=attempt.attempt,
        segment=segment.idx,
    )


#: What an attempt does in a phase: name of the span, kind.
_OPEN: Final = {
    "split": (names.SPAN_SPLIT, "own"),
    "speak": (names.SPAN_SEGMENT, "own"),
    "encode": (names.SPAN_ENCODE, "own"),
    "store": (names.SPAN_STORE, "store"),
}


def of_phase(
    task: TaskRecord, attempt: AttemptRecord, segments: Sequence[SegmentRecord]
) -> Piece | None:
    """What a running attempt does at this moment, as a piece that is still open."""
    name, kind = _OPEN.get(task.phase or "", ("", ""))
    if not name or attempt.finished_at is not None:
        return None
    mine = [row.finished_at for row in segments if row.attempt == attempt.attempt]
    begun = max([moment for moment in mine if moment], default=attempt.begun_at)
    waiting = next((row.idx for row in segments if row.status == "waiting"), None)
    is_segment = name == names.SPAN_SEGMENT
    if is_segment and waiting is None:
        return None
    return Piece(
        span_id=f"open-{attempt.span_id}",
        parent_id=attempt.span_id,
        name=name,
        service=names.SERVICE_WORKER,
        kind=kind,
        start=begun or attempt.claimed_at,
        end=None,
        status="open",
        attempt=attempt.attempt,
        segment=waiting if is_segment else None,
    )


def _status(*, ended: int | None, failed: bool) -> str:
    if ended is None:
        return "open"
    return "error" if failed else "ok"
