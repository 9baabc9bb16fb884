"""Values as the v1 API shows them: moments as RFC 3339 in UTC, units in names."""

import json
from dataclasses import asdict
from typing import Any

from app import clock
from app.domain.records import (
    AttemptRecord,
    AudioRecord,
    DutyRecord,
    EventRecord,
    SubmissionRecord,
    TaskRecord,
    TextRecord,
    WorkerRecord,
)
from app.service.checks.check_duties import is_silent
from app.service.library import LibraryItem
from app.service.progress import progress_ratio
from app.service.spans import rtf
from telemetry.outbox import OutboxState

Json = dict[str, Any]


def moment(at_us: int | None) -> str | None:
    """Microseconds since the epoch as `2026-03-12T14:03:41.498123Z`."""
    if at_us is None:
        return None
    return clock.iso(at_us)


def seconds(us: int | None) -> float | None:
    """Microseconds as seconds."""
    return None if us is None else us / 1_000_000


def file_url(audio_id: int | None) -> str | None:
    """Where an audio's bytes are."""
    return None if audio_id is None else f"/api/v1/audio/{audio_id}/file"


def text(record: TextRecord) -> Json:
    """A text without its content."""
    return {
        "id": record.id,
        "title": record.title,
        "char_count": record.char_count,
        "filename": record.filename,
        "encoding": record.encoding,
        "source": record.source,
        "state": record.state,
        "created_at": moment(record.created_at),
        "deleted_at": moment(record.deleted_at),
        "cancelled_at": moment(record.cancelled_at),
        "task_id": record.task_id,
        "audio_id": record.audio_id,
    }


def task(record: TaskRecord) -> Json:
    """Every column of a task that a person may need."""
    return {
        "id": record.id,
        "text_id": record.text_id,
        "retry_of": record.retry_of,
        "status": record.status,
        "priority": record.priority,
        "engine": record.engine,
        "engine_version": record.engine_version,
        "voice": record.voice,
        "language": record.language,
        "format": record.format,
        "params": json.loads(record.params),
        "source": record.source,
        "char_count": record.char_count,
        "timeout_s": seconds(record.timeout_us),
        "max_attempts": record.max_attempts,
        **_moments(record),
        "run_s": seconds(record.run_us),
        "wait_s": None if record.wait_ms is None else record.wait_ms / 1000,
        "total_s": None if record.total_ms is None else record.total_ms / 1000,
        **_run(record),
        **_end(record),
        "trace_id": record.trace_id,
        "span_id": record.span_id,
        "parent_span_id": record.parent_span_id,
        "trace_seen_at": moment(record.trace_seen_at),
        "trace_missing_at": moment(record.trace_missing_at),
        "trace_resends": record.trace_resends,
        "links": [
            {"trace_id": trace_id, "span_id": span_id}
            for trace_id, span_id in json.loads(record.links)
        ],
    }


def _moments(record: TaskRecord) -> Json:
    names = (
        "give_up_at",
        "submitted_at",
        "queued_at",
        "not_before",
        "started_at",
        "claimed_at",
        "deadline_at",
        "progress_at",
        "timed_out_at",
        "finished_at",
    )
    return {name: moment(getattr(record, name)) for name in names}


def _run(record: TaskRecord) -> Json:
    return {
        "attempt": record.attempt,
        "tries_used": record.tries_used,
        "lost_count": record.lost_count,
        "capacity_count": record.capacity_count,
        "worker_id": record.worker_id,
        "worker_name": record.worker_name,
        "host": record.host,
        "release": record.release,
        "wait_reason": record.wait_reason,
        "rescued_at": moment(record.rescued_at),
        "rescued_by": record.rescued_by,
        "rescued_reason": record.rescued_reason,
        "phase": record.phase,
        "phase_permille": record.phase_permille,
        "segment_count": record.segment_count,
        "segments_done": record.segments_done,
        "progress": progress_ratio(record),
    }


def _end(record: TaskRecord) -> Json:
    return {
        "is_final": record.is_final,
        "timed_out": record.timed_out_at is not None,
        "error_type": record.error_type,
        "error_kind": record.error_kind,
        "error_message": record.error_message,
        "fingerprint": record.fingerprint,
        "audio_id": record.audio_id,
        "audio_duration_ms": record.audio_duration_ms,
        "audio_bytes": record.audio_bytes,
        "audio_url": file_url(record.audio_id),
        "rtf": rtf(record),
    }


def audio(record: AudioRecord) -> Json:
    """An audio, and where its parts are."""
    base = f"/api/v1/audio/{record.id}"
    return {
        "id": record.id,
        "text_id": record.text_id,
        "task_id": record.task_id,
        "filename": record.filename,
        "format": record.format,
        "size_bytes": record.size_bytes,
        "duration_ms": record.duration_ms,
        "sample_rate": record.sample_rate,
        "sha256": record.sha256,
        "is_valid": record.is_valid,
        "source": record.source,
        "checks": json.loads(record.checks),
        "created_at": moment(record.created_at),
        "url": f"{base}/file",
        "download_url": f"{base}/file?download=1",
        "peaks_url": f"{base}/peaks",
        "captions": {"srt": f"{base}/captions.srt", "vtt": f"{base}/captions.vtt"},
    }


def attempt(record: AttemptRecord) -> Json:
    """An attempt's row."""
    moments = ("queued_at", "claimed_at", "deadline_at", "begun_at", "timed_out_at", "finished_at")
    plain = (
        "attempt",
        "span_id",
        "worker_id",
        "worker_name",
        "host",
        "release",
        "engine",
        "wait_reason",
        "pid",
        "outcome",
        "error_type",
        "error_kind",
        "error_code",
        "error_message",
        "exit_signal",
        "exit_code",
        "rebuilt_by",
        "rebuilt_reason",
    )
    return {
        **{name: getattr(record, name) for name in plain},
        **{name: moment(getattr(record, name)) for name in moments},
        "last_heartbeat_at": moment(record.last_heartbeat_at),
    }


def event(record: EventRecord) -> Json:
    """Something that happened to a task."""
    return {
        "id": record.id,
        "at": moment(record.at),
        "kind": record.kind,
        "attempt": record.attempt,
        "from_status": record.from_status,
        "to_status": record.to_status,
        "by": record.by,
        "detail": record.detail,
    }


def submission(record: SubmissionRecord) -> Json:
    """A request that a task answers."""
    return {
        "id": record.id,
        "text_id": record.text_id,
        "disposition": record.disposition,
        "source": record.source,
        "trace_id": record.trace_id,
        "span_id": record.span_id,
        "created_at": moment(record.created_at),
        "cancelled_at": moment(record.cancelled_at),
    }


def worker(record: WorkerRecord, *, is_alive: bool, running: int) -> Json:
    """A start of a worker."""
    return {
        "id": record.id,
        "name": record.name,
        "host": record.host,
        "pid": record.pid,
        "release": record.release,
        "concurrency": record.concurrency,
        "state": record.state,
        "is_alive": is_alive,
        "running": running,
        "started_at": moment(record.started_at),
        "heartbeat_at": moment(record.heartbeat_at),
        "ended_at": moment(record.ended_at),
        "end_reason": record.end_reason,
    }


def duty(record: DutyRecord, now: int) -> Json:
    """A background duty."""
    return {
        "name": record.name,
        "holder": record.holder,
        "lease_until": moment(record.lease_until or None),
        "ticked_at": moment(record.ticked_at or None),
        "succeeded_at": moment(record.succeeded_at),
        "failure_count": record.failure_count,
        "last_error": record.last_error,
        "is_late": is_silent(record, now),
        "state": json.loads(record.state),
    }


def outbox(state: OutboxState | None) -> Json | None:
    """What lies in the span outbox."""
    if state is None:
        return None
    shown = asdict(state)
    for name in ("oldest_pending_us", "last_lost_us"):
        shown[name.replace("_us", "_at")] = moment(shown.pop(name))
    return shown


def library_item(item: LibraryItem, *, with_content: bool) -> Json:
    """A text with what answers for it."""
    shown = text(item.text) | {
        "task": task(item.task) if item.task is not None else None,
        "audio": audio(item.audio) if item.audio is not None else None,
        "progress": item.progress,
        "queue_position": item.queue_position,
        "reason": item.reason.en.text if item.reason is not None else None,
        "reason_zh": item.reason.zh.text if item.reason is not None else None,
    }
    return shown | {"content" if with_content else "excerpt": item.text.content}
