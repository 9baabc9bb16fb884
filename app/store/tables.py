"""The tables, all of them. Moments are BIGINT microseconds since the epoch, UTC.

Foreign keys point one way only (attempt, segment, audio, submission, event -> task -> text), so
that rows can be inserted and removed in one order. `text.task_id` and `text.audio_id` point back
without a constraint: they name the task and the valid audio that answer for the text now.
Totals (`stat_task`, `stat_text`) and `text.state` are written by database triggers only
(`migrations/triggers.py`).
"""

from app.store.metadata import metadata
from app.store.running_tables import (
    duty_table,
    event_table,
    setting_table,
    stat_task_table,
    stat_text_table,
    worker_table,
)
from app.store.watch_tables import (
    canary_table,
    process_count_table,
    stat_count_table,
    stat_engine_table,
    task_log_table,
)
from app.store.work_tables import (
    attempt_table,
    audio_table,
    caption_table,
    segment_table,
    submission_table,
    task_table,
    text_table,
)
from telemetry import outbox

__all__ = [
    "attempt_table",
    "audio_table",
    "canary_table",
    "caption_table",
    "duty_table",
    "event_table",
    "metadata",
    "outbox_table",
    "process_count_table",
    "segment_table",
    "setting_table",
    "stat_count_table",
    "stat_engine_table",
    "stat_task_table",
    "stat_text_table",
    "submission_table",
    "task_log_table",
    "task_table",
    "text_table",
    "worker_table",
]

outbox_table = outbox.define(metadata)
