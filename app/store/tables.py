"""The tables, all of them. Moments are BIGINT microseconds since the epoch, UTC.

Foreign keys point one way only (attempt, segment, audio, submission, event -> task -> text), so
that rows can be inserted and removed in one order. `text.task_id` and `text.audio_id` point back
without a constraint: they name the task and the valid audio that answer for the text now.
Statistics (`stat_…`, but for `stat_latency` and the checks) and `text.state` are written by
database triggers only (`migrations/triggers.py`, `migrations/statistics.py`,
`migrations/requests.py`; of attempts `migrations/attempts.py`).
"""

from app.store.attempt_tables import attempt_table
from app.store.failure_tables import (
    analysis_table,
    failure_event_table,
    failure_group_table,
    finding_table,
    system_event_table,
    webhook_delivery_table,
)
from app.store.list_tables import error_search_table, text_search_table
from app.store.metadata import metadata
from app.store.running_tables import (
    duty_table,
    event_table,
    setting_table,
    stat_text_table,
    worker_table,
)
from app.store.stat_tables import (
    archive_table,
    stat_attempt_table,
    stat_bound_table,
    stat_check_table,
    stat_cube_table,
    stat_drift_table,
    stat_hist_table,
    stat_latency_table,
    stat_period_table,
    stat_profile_table,
    stat_submission_table,
    stat_total_table,
)
from app.store.watch_tables import (
    canary_table,
    process_count_table,
    stat_count_table,
    stat_engine_table,
    task_log_table,
)
from app.store.work_tables import (
    audio_table,
    caption_table,
    segment_table,
    submission_table,
    task_table,
    text_table,
)
from telemetry import outbox

__all__ = [
    "analysis_table",
    "archive_table",
    "attempt_table",
    "audio_table",
    "canary_table",
    "caption_table",
    "duty_table",
    "error_search_table",
    "event_table",
    "failure_event_table",
    "failure_group_table",
    "finding_table",
    "metadata",
    "outbox_table",
    "process_count_table",
    "segment_table",
    "setting_table",
    "stat_attempt_table",
    "stat_bound_table",
    "stat_check_table",
    "stat_count_table",
    "stat_cube_table",
    "stat_drift_table",
    "stat_engine_table",
    "stat_hist_table",
    "stat_latency_table",
    "stat_period_table",
    "stat_profile_table",
    "stat_submission_table",
    "stat_text_table",
    "stat_total_table",
    "submission_table",
    "system_event_table",
    "task_log_table",
    "task_table",
    "text_search_table",
    "text_table",
    "webhook_delivery_table",
    "worker_table",
]

outbox_table = outbox.define(metadata)
