"""Rows as values, made from few words, for tests of what is computed from them."""

from typing import Any

from app.domain.records import AttemptRecord, EventRecord, SegmentRecord, TaskRecord, WorkerRecord

#: The moment at which the tasks of these tests are submitted.
T0 = 1_795_000_000_000_000
SECOND = 1_000_000


def task(**fields: Any) -> TaskRecord:
    """A pending task, unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "id": 7,
        "text_id": 3,
        "retry_of": None,
        "content_key": "k" * 64,
        "status": "pending",
        "priority": 0,
        "engine": "tone",
        "engine_version": "1",
        "voice": "auto",
        "language": None,
        "format": "mp3",
        "params": "{}",
        "source": "api",
        "char_count": 100,
        "timeout_us": 60 * SECOND,
        "max_attempts": 3,
        "give_up_at": T0 + 86_400 * SECOND,
        "submitted_at": T0,
        "queued_at": T0,
        "not_before": T0,
        "run_us": 0,
        "attempt": 0,
        "tries_used": 0,
        "lost_count": 0,
        "wait_reason": "queued",
        "phase_permille": 0,
        "segments_done": 0,
        "trace_id": "1" * 32,
        "span_id": "a" * 16,
        "links": "[]",
        "trace_resends": 0,
    }
    return TaskRecord(**_filled(TaskRecord, values | fields))


def attempt(number: int, claimed_at: int, **fields: Any) -> AttemptRecord:
    """An attempt that runs, unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "task_id": 7,
        "attempt": number,
        "span_id": f"{number:016x}",
        "worker_id": "w" * 16,
        "worker_name": "w1",
        "host": "h",
        "release": "1",
        "engine": "tone",
        "queued_at": T0,
        "wait_reason": "queued",
        "claimed_at": claimed_at,
        "deadline_at": claimed_at + 60 * SECOND,
    }
    return AttemptRecord(**_filled(AttemptRecord, values | fields))


def segment(idx: int, **fields: Any) -> SegmentRecord:
    """A waiting segment of ten characters, unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "task_id": 7,
        "idx": idx,
        "start": idx * 10,
        "stop": idx * 10 + 10,
        "units": 10.0,
        "boundary": "sentence",
        "status": "waiting",
        "tries": 0,
        "reused": False,
    }
    return SegmentRecord(**_filled(SegmentRecord, values | fields))


def done(idx: int, number: int, start: int, end: int, **fields: Any) -> SegmentRecord:
    """A segment that an attempt committed."""
    values = {
        "status": "done",
        "attempt": number,
        "span_id": f"{1000 + idx:016x}",
        "started_at": start,
        "finished_at": end,
        "storage_key": "segment/ab/ab.pcm",
        "duration_ms": 500,
    }
    return segment(idx, **(values | fields))


def event(event_id: int, at: int, kind: str, **fields: Any) -> EventRecord:
    """Something that happened."""
    values = {"id": event_id, "task_id": 7, "at": at, "kind": kind, "by": "test"}
    return EventRecord(**_filled(EventRecord, values | fields))


def worker(**fields: Any) -> WorkerRecord:
    """A worker that is up, with a heartbeat at T0."""
    values: dict[str, Any] = {
        "id": "w" * 16,
        "name": "w1",
        "host": "h",
        "pid": 1,
        "release": "1",
        "concurrency": 2,
        "started_at": T0,
        "heartbeat_at": T0,
        "state": "up",
    }
    return WorkerRecord(**_filled(WorkerRecord, values | fields))


def _filled(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values, and None for every field that has none."""
    return dict.fromkeys(kind.__dataclass_fields__) | values
