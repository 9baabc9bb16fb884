"""Rows as values: one frozen dataclass for each table, fields named as its columns.

Moments (`…_at`) are integers, microseconds since the epoch, UTC: the very numbers of the columns
and of the spans, so that equal means equal to the microsecond.
"""

from dataclasses import dataclass

from app.domain.task import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecord:
    """A text as submitted; `state` is what it shows (see `migrations/triggers.py`)."""

    id: int
    title: str
    content: str
    char_count: int
    content_hash: str
    filename: str | None
    encoding: str | None
    source: str
    created_at: int
    deleted_at: int | None
    cancelled_at: int | None
    task_id: int | None
    audio_id: int | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRecord:
    """One accepted request to speak a text.

    Attributes:
        engine: Of its task; with `char_count` (of its text) and `audio_ms` what it counts by.
        audio_ms: Milliseconds of sound that were there already; of `skipped` only.
    """

    id: int
    text_id: int
    task_id: int
    disposition: str
    source: str
    idempotency_key: str | None
    request_hash: str | None
    trace_id: str | None
    span_id: str | None
    created_at: int
    cancelled_at: int | None
    engine: str
    char_count: int
    audio_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """A task: the truth about one piece of work."""

    id: int
    text_id: int
    retry_of: int | None
    content_key: str
    status: str
    priority: int
    engine: str
    engine_version: str
    voice: str
    language: str | None
    format: str
    params: str
    source: str
    char_count: int
    timeout_us: int
    max_attempts: int
    give_up_at: int
    submitted_at: int
    queued_at: int
    not_before: int
    started_at: int | None
    claimed_at: int | None
    deadline_at: int | None
    progress_at: int | None
    timed_out_at: int | None
    finished_at: int | None
    run_us: int
    attempt: int
    tries_used: int
    lost_count: int
    worker_id: str | None
    worker_name: str | None
    release: str | None
    wait_reason: str
    rescued_at: int | None
    rescued_by: str | None
    rescued_reason: str | None
    phase: str | None
    phase_permille: int
    segment_count: int | None
    segments_done: int
    error_type: str | None
    error_kind: str | None
    error_message: str | None
    fingerprint: str | None
    audio_id: int | None
    audio_duration_ms: int | None
    audio_bytes: int | None
    trace_id: str
    span_id: str
    parent_span_id: str | None
    trace_state: str | None
    links: str
    trace_seen_at: int | None
    trace_missing_at: int | None
    trace_resends: int
    host: str | None
    capacity_count: int
    capacity_us: int
    run_ms: int | None
    wait_ms: int | None
    total_ms: int | None

    @property
    def is_final(self) -> bool:
        """Whether nothing moves the task any more."""
        return Status(self.status).is_final


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One execution of a task, by one worker's child."""

    task_id: int
    attempt: int
    span_id: str
    worker_id: str
    worker_name: str
    host: str
    release: str
    engine: str
    queued_at: int
    wait_reason: str
    claimed_at: int
    deadline_at: int
    pid: int | None
    pid_ticks: int | None
    begun_at: int | None
    timed_out_at: int | None
    finished_at: int | None
    outcome: str | None
    error_type: str | None
    error_kind: str | None
    error_code: str | None
    error_message: str | None
    exit_signal: int | None
    exit_code: int | None
    last_heartbeat_at: int | None
    rebuilt_by: str | None
    rebuilt_reason: str | None
    voice: str
    language: str
    source: str
    char_count: int
    fingerprint: str | None
    template: str | None
    frames: str | None
    is_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """A checkpoint: characters `start`..`stop` of the text, and the sound made of them."""

    task_id: int
    idx: int
    start: int
    stop: int
    units: float
    boundary: str
    language: str | None
    input_hash: str | None
    status: str
    storage_key: str | None
    sample_rate: int | None
    duration_ms: int | None
    rms_dbfs: float | None
    tries: int
    reused: bool
    attempt: int | None
    span_id: str | None
    started_at: int | None
    finished_at: int | None
    offset_ms: int | None
    marks: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRecord:
    """An audio file; `is_valid` was decided once, by decoding it (imports: by their size)."""

    id: int
    text_id: int
    task_id: int | None
    storage_key: str
    sha256: str
    filename: str
    format: str
    size_bytes: int
    duration_ms: int | None
    sample_rate: int | None
    is_valid: bool
    checks: str
    peaks: str | None
    source: str
    created_at: int
    deleted_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """One start of a worker process."""

    id: str
    name: str
    host: str
    pid: int
    pid_ticks: int | None
    release: str
    concurrency: int
    started_at: int
    heartbeat_at: int
    state: str
    ended_at: int | None
    end_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """Something that happened to a task, and who did it."""

    id: int
    task_id: int
    attempt: int | None
    at: int
    kind: str
    from_status: str | None
    to_status: str | None
    by: str
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyRecord:
    """A background duty: who does it, and how it went last."""

    name: str
    holder: str
    lease_until: int
    ticked_at: int
    succeeded_at: int | None
    failure_count: int
    last_error: str | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRecord:
    """A canary: a task of our own that goes the whole way, and how far it came.

    Attributes:
        is_ok: None while it goes, and where it ended without a verdict (`finished_at` says which).
    """

    id: int
    task_id: int | None
    started_at: int
    stage: str
    finished_at: int | None
    is_ok: bool | None
    cause: str | None
    detail: str | None
    queue_us: int | None
    run_us: int | None
    trace_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLineRecord:
    """A log line of a task.

    Attributes:
        level: Number of the logging package.
        fields: What else it tells, as a JSON object.
        program: What wrote it: web, worker, child, duties, cli.
        span_id: A span of the task's own trace; None where it was none.
    """

    id: int
    task_id: int
    attempt: int | None
    at: int
    level: int
    logger: str
    message: str
    fields: str
    program: str
    host: str
    pid: int
    span_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroupRecord:
    """Failures with one fingerprint, and what people decided about them."""

    fingerprint: str
    error_type: str
    error_kind: str | None
    error_code: str | None
    template: str
    frames: str
    first_at: int
    state: str
    state_at: int | None
    state_by: str | None
    resolved_release: str | None
    regressed_at: int | None
    regressed_release: str | None
    assignee: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureEventRecord:
    """Something that people, or a failure after a resolution, did to a failure group."""

    id: int
    fingerprint: str
    at: int
    kind: str
    by: str
    detail: str | None
