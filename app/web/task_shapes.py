"""A whole task, and the monitor, as the v1 API shows them."""

import json
from dataclasses import asdict

from app.domain.records import LogLineRecord
from app.logs.line import level_name
from app.service.glance import Glance
from app.service.reason import Explanation, Reason
from app.service.report import MonitorView, Stats
from app.service.task_logs.task_log import LogPage
from app.service.task_path import DeadlineSum, Step
from app.service.task_view import AttemptView, ReadingSegment, TaskView
from app.service.traces.trace_state import TraceState
from app.service.waterfall import Row, Waterfall
from app.web import shapes
from app.web.shapes import Json, moment, seconds


def task_view(view: TaskView) -> Json:
    """Everything about a task."""
    return shapes.task(view.task) | {
        "text": shapes.text(view.text),
        "audio": shapes.audio(view.audio) if view.audio is not None else None,
        "attempts": [_attempt(attempt) for attempt in view.attempts],
        "segments": asdict(view.segments),
        "events": [shapes.event(event) for event in view.events],
        "submissions": [shapes.submission(one) for one in view.submissions],
        "followers": [shapes.text(text) for text in view.followers],
        "queue_position": view.queue_position,
        "retried_by": view.retried_by,
        "can_cancel": view.can_cancel,
        "can_retry": view.can_retry,
        **reason(view.reason),
        "path": [_step(step) for step in view.path],
        "deadline": _deadline(view.deadline),
        "spent_s": {name: us / 1_000_000 for name, us in asdict(view.spent).items()},
        "spans": [_row(row) for row in view.waterfall.rows],
        "waterfall": _waterfall(view.waterfall),
        "trace": trace(view.trace),
        "now": moment(view.now),
    }


def trace(value: TraceState) -> Json:
    """Where a task's trace is."""
    return {
        "where": str(value.where),
        "trace_id": value.trace_id,
        "at": moment(value.at),
        "resends": value.resends,
        "spans": value.spans,
        "url": value.url,
        "problem": value.problem,
    }


def reason(value: Reason) -> Json:
    """Why it stands where it stands: one line in each language, and its sentences."""
    return {
        "reason": value.en.text,
        "reason_zh": value.zh.text,
        "explanation": {one.language: _sentences(one) for one in (value.en, value.zh)},
    }


def _sentences(value: Explanation) -> Json:
    return {"headline": value.headline, "detail": value.detail, "advice": value.advice}


def _attempt(view: AttemptView) -> Json:
    return shapes.attempt(view.record) | {
        "waited_s": seconds(view.waited_us),
        "ran_s": seconds(view.ran_us),
        "segments_made": view.segments_made,
        "worker_state": view.worker_state,
    }


def log_page(page: LogPage, *, kept: int) -> Json:
    """Log lines of a task."""
    return {
        "lines": [log_line(line) for line in page.lines],
        "last_id": page.last_id,
        "is_final": page.is_final,
        "total": page.total,
        "kept": kept,
    }


def log_line(line: LogLineRecord) -> Json:
    """A log line of a task."""
    return {
        "id": line.id,
        "at": moment(line.at),
        "level": level_name(line.level),
        "attempt": line.attempt,
        "message": line.message,
        "fields": json.loads(line.fields),
        "logger": line.logger,
        "program": line.program,
        "host": line.host,
        "pid": line.pid,
        "span_id": line.span_id,
    }


def _step(step: Step) -> Json:
    return asdict(step) | {"since": moment(step.since), "until": moment(step.until)}


def _deadline(value: DeadlineSum | None) -> Json | None:
    if value is None:
        return None
    return {
        "attempt": value.attempt,
        "claimed_at": moment(value.claimed_at),
        "timeout_s": seconds(value.timeout_us),
        "moved_s": seconds(value.moved_us),
        "deadline_at": moment(value.deadline_at),
        "used_ratio": value.used_ratio,
    }


def _row(row: Row) -> Json:
    return asdict(row) | {
        "notes": dict(row.notes),
        "events": [{"name": name, "at_us": at_us} for name, at_us in row.events],
    }


def _waterfall(value: Waterfall) -> Json:
    return {
        "source": value.source,
        "zero_at": moment(value.zero_at),
        "total_us": value.total_us,
        "left_off": value.left_off,
    }


def segment(value: ReadingSegment) -> Json:
    """A segment with its words."""
    return asdict(value) | {
        "started_at": moment(value.started_at),
        "finished_at": moment(value.finished_at),
        "marks": [
            {"kind": kind, "start": start, "end": end, "at_ms": at_ms}
            for kind, start, end, at_ms in value.marks
        ],
    }


def glance(value: Glance) -> Json:
    """A task as a stream tells it."""
    return {
        "state": value.state,
        "is_final": value.is_final,
        "queue_position": value.position,
        "now": moment(value.now),
        "task": shapes.task(value.task) if value.task is not None else None,
    }


def stats(value: Stats) -> Json:
    """The totals of live texts."""
    return {
        "total": value.total,
        "pending": value.pending,
        "active": value.active,
        "completed": value.completed,
        "failed": value.failed,
        "success_ratio": value.success_ratio,
        "finished_ratio": value.finished_ratio,
        "mean_run_ms": value.mean_run_ms,
        "texts_by_state": value.by_state,
        "tasks_by_status": value.by_status,
    }


def warnings(view: MonitorView) -> list[Json]:
    """What needs a person now, as sentences, the worst first."""
    return [
        {"code": one.name, "level": one.level, "en": one.sentence("en"), "zh": one.sentence("zh")}
        for one in view.alerts
    ]


def ages(view: MonitorView) -> dict[str, float]:
    """Seconds since each worker's last heartbeat and each duty's last turn."""
    beats = {f"worker:{one.worker.id}": one.worker.heartbeat_at for one in view.workers}
    beats |= {f"duty:{duty.name}": duty.ticked_at for duty in view.duties if duty.ticked_at}
    return {name: round(max(0, view.now - at) / 1_000_000, 1) for name, at in beats.items()}


def monitor(view: MonitorView) -> Json:
    """What the monitor shows."""
    oldest_us = None if view.oldest_waiting_at is None else view.now - view.oldest_waiting_at
    return {
        "as_of": moment(view.now),
        "stats": stats(view.stats),
        "slots": asdict(view.slots),
        "oldest_waiting_at": moment(view.oldest_waiting_at),
        "oldest_waiting_s": seconds(oldest_us),
        "active": [
            {
                "task": shapes.task(active.task),
                "title": active.title,
                "progress": active.progress,
                "ran_s": seconds(active.ran_us),
                "is_worker_lost": active.is_worker_lost,
            }
            for active in view.active
        ],
        "workers": [
            shapes.worker(one.worker, is_alive=one.is_alive, running=one.running)
            for one in view.workers
        ],
        "duties": [shapes.duty(duty, view.now) for duty in view.duties],
        "outbox": shapes.outbox(view.outbox),
        "exports": view.exports,
        "warnings": warnings(view),
        "last_event_id": view.last_event_id,
    }
