"""Values as the old routes show them: five statuses, epoch seconds, the old names."""

from typing import Final

from app.domain.records import AudioRecord, EventRecord
from app.service.diagnose import Finding
from app.service.glance import DELETED, Glance
from app.service.library import LibraryItem
from app.service.report import StatsWithActive
from app.web.shapes import Json, file_url

#: The old routes know five statuses: a cancelled text shows as failed, and says so.
_STATUS: Final = {"cancelled": "failed", DELETED: "failed"}
#: What an event of the task is called in the old stream.
EVENTS: Final = {
    "submitted": "pending",
    "claim": "started",
    "complete": "completed",
    "fail": "failed",
    "expire": "failed",
    "cancel": "failed",
    "time_out": "timeout",
    "retry_later": "pending",
    "wait_for_capacity": "pending",
    "hand_back": "pending",
    "lose_worker": "pending",
}


def epoch_s(at_us: int | None) -> float | None:
    """Microseconds since the epoch as seconds."""
    return None if at_us is None else at_us / 1_000_000


def status_of(state: str) -> str:
    """A state as one of the five statuses."""
    return _STATUS.get(state, state)


def task_status(item: LibraryItem) -> Json:
    """The answer of GET /api/task/status."""
    text, task = item.text, item.task
    is_over = text.state not in {"pending", "processing"}
    shown: Json = {
        "text_id": text.id,
        "status": status_of(text.state),
        "start_time": epoch_s(task.started_at) if task else None,
        "completed_time": epoch_s(task.finished_at) if task and is_over else None,
        "error_message": error_message(item),
        "audio_url": file_url(text.audio_id),
        "filename": item.audio.filename if item.audio else text.filename or f"{text.title}.txt",
    }
    if task is not None and task.started_at is not None:
        end = task.finished_at if task.finished_at is not None else item.now
        shown["duration"] = round((end - task.started_at) / 1_000_000, 3)
    return shown | {
        "state": text.state,
        "title": text.title,
        "task_id": task.id if task else None,
        "trace_id": task.trace_id if task else None,
        "error_type": task.error_type if task and status_of(text.state) == "failed" else None,
        "submitted_time": epoch_s(text.created_at),
        "progress": item.progress,
        "queue_position": item.queue_position,
        "audio_id": text.audio_id,
    }


def error_message(item: LibraryItem) -> str | None:
    """Why a text did not become audio; None where it did, or may still."""
    state, task = item.text.state, item.task
    if state == "cancelled":
        return "cancelled"
    if state not in {"failed", "timeout"} or task is None:
        return None
    if task.status == "completed":
        return "the audio is gone; retry makes it again"
    return task.error_message or task.error_type or state


def stream_event(glance: Glance, name: str) -> Json:
    """What the old stream sends: an event, and the text as it is now."""
    task = glance.task
    status = status_of(glance.state)
    over = glance.is_final and task is not None
    failed = status in {"failed", "timeout"}
    cancelled = glance.state == "cancelled"
    message = "cancelled" if cancelled else (task.error_message if task else None)
    return {
        "event": name,
        "text_id": glance.key.id,
        "status": status,
        "start_time": epoch_s(task.started_at) if task else None,
        "completed_time": epoch_s(task.finished_at) if task and over else None,
        "error_message": message if failed else None,
        "audio_url": file_url(glance.audio_id),
        "state": glance.state,
        "task_id": task.id if task else None,
        "segments_done": task.segments_done if task else 0,
        "segment_count": task.segment_count if task else None,
        "queue_position": glance.position,
        "timestamp": epoch_s(glance.now),
    }


def event_of_state(state: str) -> str:
    """What the old stream calls the event after which a text is in this state."""
    return "started" if state == "processing" else status_of(state)


def past_event(glance: Glance, event: EventRecord) -> Json:
    """An event that something else has followed since, as the old stream tells it."""
    return {
        "event": EVENTS[event.kind],
        "text_id": glance.key.id,
        "status": status_of(event.to_status or glance.state),
        "state": event.to_status or glance.state,
        "task_id": event.task_id,
        "timestamp": epoch_s(event.at),
    }


def stats(found: StatsWithActive) -> Json:
    """The answer of GET /api/monitor/stats."""
    value = found.stats
    mean_s = value.mean_run_ms / 1000 if value.mean_run_ms is not None else 0.0
    return {
        "active_tasks": value.active,
        "max_concurrent": value.max_concurrent,
        "total_tasks": value.total,
        "success_rate": round(value.success_ratio * 100, 1),
        "avg_duration": round(mean_s, 3),
        "tasks_completed": value.completed,
        "tasks_failed": value.failed,
        "active_list": [
            {
                "text_id": active.text_id,
                "status": active.task.status,
                "start_time": epoch_s(active.task.started_at),
                "duration": round((value.now - (active.task.started_at or value.now)) / 1e6, 3),
                "title": active.title,
                "task_id": active.task.id,
                "worker": active.task.worker_name,
                "segments_done": active.task.segments_done,
                "segment_count": active.task.segment_count,
            }
            for active in found.active
        ],
        "timestamp": epoch_s(value.now),
        "tasks_pending": value.pending,
        "by_state": value.by_state,
    }


def audio_url(record: AudioRecord) -> Json:
    """The answer of GET /api/audio/url."""
    return {
        "audio_id": record.id,
        "audio_url": file_url(record.id),
        "filename": record.filename,
        "file_size": record.size_bytes,
        "created_at": epoch_s(record.created_at),
        "duration": None if record.duration_ms is None else record.duration_ms / 1000,
        "is_valid": record.is_valid,
        "format": record.format,
    }


def finding(value: Finding) -> Json:
    """What a probe found."""
    return {"name": value.name, "ok": value.ok} | value.facts
