"""Spans that are made from rows: the task span, its waits, and attempts that nobody could end.

Whoever commits a final status makes the task span with `task_span`, so the table and the trace are
two readings of one row. The resource of these names no process: any writer writes the same bytes.
"""

import json

from app.domain.claim import Claim
from app.domain.records import AttemptRecord, TaskRecord
from app.store.database import Connection
from telemetry import codec, names, outbox, provider, recovery, tracing
from telemetry.recovery import AttemptIdentity, Death
from telemetry.spans import SpanLink, SpanRecord
from telemetry.tracing import SpanContext
from telemetry.values import AttributeValue

#: Outcomes with which a rebuilt attempt span has failed, and its error where the row has none.
FAILED_OUTCOMES = frozenset({"lost", "timeout", "failed"})
LOST = "worker_lost"


def task_span(task: TaskRecord) -> SpanRecord:
    """The span of a task with a final status, from submit to end, with the row's facts."""
    failed = task.status in {"failed", "timeout"}
    links = [(int(trace, 16), int(span, 16)) for trace, span in json.loads(task.links)]
    return SpanRecord(
        trace_id=int(task.trace_id, 16),
        span_id=int(task.span_id, 16),
        parent_span_id=_id(task.parent_span_id),
        trace_state=task.trace_state or "",
        name=names.SPAN_TASK,
        kind=names.SpanKind.INTERNAL,
        start_us=task.submitted_at,
        end_us=_moment(task.finished_at),
        attributes=_task_attributes(task, failed=failed),
        links=tuple(SpanLink(trace_id=trace, span_id=span) for trace, span in links),
        error=(task.error_type or task.status) if failed else None,
    )


def _task_attributes(task: TaskRecord, *, failed: bool) -> dict[str, AttributeValue]:
    """The table of the task span in docs/telemetry.md; what the row does not know is left out."""
    known: dict[str, AttributeValue | None] = {
        names.TASK_ID: str(task.id),
        names.TEXT_ID: str(task.text_id),
        names.TASK_STATUS: task.status,
        names.TASK_ATTEMPTS: task.attempt,
        names.TASK_TRIES_USED: task.tries_used,
        names.TASK_LOST_COUNT: task.lost_count,
        names.TASK_TIMED_OUT: task.timed_out_at is not None,
        names.TASK_RESCUED: task.rescued_at is not None,
        names.ERROR_TYPE: task.error_type if failed else None,
        names.ENGINE: task.engine,
        names.VOICE: task.voice,
        names.LANGUAGE: task.language,
        names.RELEASE: task.release,
        names.SOURCE: task.source,
        names.WORKER_NAME: task.worker_name,
        names.TEXT_CHARACTERS: task.char_count,
        names.TEXT_SEGMENTS: task.segment_count,
        names.AUDIO_DURATION_MS: task.audio_duration_ms,
        names.AUDIO_BYTES: task.audio_bytes,
        names.RTF: rtf(task),
        names.FINGERPRINT: task.fingerprint if failed else None,
    }
    return {key: value for key, value in known.items() if value is not None}


def rtf(task: TaskRecord) -> float | None:
    """Real-time factor: seconds of work for each second of audio; None without audio."""
    if not task.audio_duration_ms:
        return None
    return round(task.run_us / 1000 / task.audio_duration_ms, 6)


def wait_span(
    task: TaskRecord, *, owner_span_id: str, start: int, end: int, reason: str
) -> SpanRecord:
    """A wait in the queue, until a claim (owner: the attempt) or the end (owner: the task)."""
    return SpanRecord(
        trace_id=int(task.trace_id, 16),
        span_id=tracing.derived_span_id(int(owner_span_id, 16), "wait"),
        parent_span_id=int(task.span_id, 16),
        trace_state=task.trace_state or "",
        name=names.SPAN_QUEUE_WAIT,
        kind=names.SpanKind.INTERNAL,
        start_us=start,
        end_us=end,
        attributes={
            names.TASK_ID: str(task.id),
            names.ATTEMPT: task.attempt,
            names.WAIT_REASON: reason,
        },
    )


def identity(task: TaskRecord, attempt: AttemptRecord) -> AttemptIdentity:
    """An attempt as the telemetry package names it."""
    return AttemptIdentity(
        task=SpanContext.from_hex(task.trace_id, task.span_id, trace_state=task.trace_state or ""),
        span_id=int(attempt.span_id, 16),
        task_id=str(task.id),
        attempt=attempt.attempt,
        worker_name=attempt.worker_name,
        claimed_at_us=attempt.claimed_at,
        deadline_us=attempt.deadline_at,
    )


def identity_of_claim(claim: Claim) -> AttemptIdentity:
    """The same, from the message of its claim."""
    return AttemptIdentity(
        task=SpanContext.from_hex(
            claim.trace_id, claim.task_span_id, trace_state=claim.trace_state or ""
        ),
        span_id=int(claim.attempt_span_id, 16),
        task_id=str(claim.task_id),
        attempt=claim.attempt,
        worker_name=claim.worker_name,
        claimed_at_us=claim.claimed_at,
        deadline_us=claim.deadline_at,
    )


def claimed(conn: Connection, task: TaskRecord, attempt: AttemptRecord) -> None:
    """Writes what a claim shows at once: the wait that it ended, and the attempt's start marker."""
    wait = wait_span(
        task,
        owner_span_id=attempt.span_id,
        start=attempt.queued_at,
        end=attempt.claimed_at,
        reason=attempt.wait_reason,
    )
    marker = recovery.start_marker(identity(task, attempt))
    store(conn, task, [wait, marker], now=attempt.claimed_at, rank=outbox.RANK_DETAIL)


def deadline_passed(conn: Connection, task: TaskRecord, attempt: AttemptRecord, now: int) -> None:
    """Writes the marker that shows a passed deadline while the task still runs."""
    marker = recovery.deadline_marker(identity(task, attempt))
    store(conn, task, [marker], now=now, rank=outbox.RANK_DETAIL)


def ended(conn: Connection, task: TaskRecord, now: int) -> None:
    """Writes the task span of a row that has just got its final status."""
    last = last_wait(task)
    records = [task_span(task), *([last] if last is not None else [])]
    store(conn, task, records, now=now, rank=outbox.RANK_TASK)


def last_wait(task: TaskRecord) -> SpanRecord | None:
    """The wait that ended with the task; None where it ended in an attempt."""
    if task.wait_reason == "claimed":
        return None
    return wait_span(
        task,
        owner_span_id=task.span_id,
        start=task.queued_at,
        end=_moment(task.finished_at),
        reason=task.wait_reason,
    )


def rebuilt_attempt(conn: Connection, task: TaskRecord, attempt: AttemptRecord, now: int) -> None:
    """Writes the span of an attempt whose process cannot: from its row, saying who did and why."""
    failed = attempt.outcome in FAILED_OUTCOMES
    death = Death(
        ended_at_us=_moment(attempt.finished_at),
        outcome=attempt.outcome or "lost",
        error_type=(attempt.error_type or LOST) if failed else None,
        description=attempt.rebuilt_reason or "",
        recovered_by=attempt.rebuilt_by or "",
        recovered_reason=attempt.rebuilt_reason or "",
        last_heartbeat_us=attempt.last_heartbeat_at,
        exit_signal=attempt.exit_signal,
        exit_code=attempt.exit_code,
        exceeded_deadline=attempt.timed_out_at is not None,
        attributes=attempt_attributes(task, attempt.release) | cause(attempt),
    )
    resource = {
        names.SERVICE_NAME: names.SERVICE_WORKER,
        names.SERVICE_VERSION: attempt.release,
        names.SERVICE_INSTANCE_ID: attempt.worker_id,
        names.HOST_NAME: attempt.host,
    }
    record = recovery.rebuilt_attempt(identity(task, attempt), death)
    payload = codec.encode([record], resource, attempt.release)
    add(conn, task, payload, 1, now=now, rank=outbox.RANK_DETAIL)


def attempt_attributes(task: TaskRecord | Claim, release: str) -> dict[str, AttributeValue]:
    """What every attempt span says of the task it belongs to, lived or rebuilt."""
    return {
        names.TEXT_ID: str(task.text_id),
        names.ENGINE: task.engine,
        names.VOICE: task.voice,
        names.SOURCE: task.source,
        names.RELEASE: release,
        names.TEXT_CHARACTERS: task.char_count,
    }


def cause(attempt: AttemptRecord) -> dict[str, AttributeValue]:
    """The group of failures that an attempt belongs to, where it failed."""
    return {} if attempt.fingerprint is None else {names.FINGERPRINT: attempt.fingerprint}


def store(
    conn: Connection, task: TaskRecord, records: list[SpanRecord], *, now: int, rank: int
) -> None:
    """Puts spans made from rows into the outbox; none are made where tracing is turned off."""
    if not provider.is_enabled():
        return
    release = task.release or ""
    payload = codec.encode(records, provider.row_resource(release), release)
    add(conn, task, payload, len(records), now=now, rank=rank)


def add(
    conn: Connection, task: TaskRecord, payload: bytes, n_spans: int, *, now: int, rank: int
) -> None:
    """Puts encoded spans into the outbox; nothing where tracing is turned off."""
    if not payload or not provider.is_enabled():
        return
    outbox.add(
        conn,
        payload=payload,
        n_spans=n_spans,
        rank=rank,
        created_at_us=now,
        task_id=task.id,
        trace_id=task.trace_id,
    )


def _id(value: str | None) -> int | None:
    return None if value is None else int(value, 16)


def _moment(value: int | None) -> int:
    if value is None:
        message = "a span is made only of a row that has ended"
        raise ValueError(message)
    return value
