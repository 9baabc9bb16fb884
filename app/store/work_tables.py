"""Tables of the work: text, submission, task, segment, audio, captions."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.store.metadata import FORMAT_LIST, SOURCE_LIST, STATUSES, id_column, metadata

#: Generated columns of a task: it ran, it was there, and the rest of the time it waited.
DURATIONS: Final = {
    "run_ms": "CASE WHEN finished_at IS NOT NULL THEN run_us / 1000 END",
    "wait_ms": (
        "CASE WHEN finished_at IS NULL THEN NULL"
        " WHEN (finished_at - submitted_at) / 1000 > run_us / 1000"
        " THEN (finished_at - submitted_at) / 1000 - run_us / 1000 ELSE 0 END"
    ),
    "total_ms": (
        "CASE WHEN finished_at IS NULL THEN NULL"
        " WHEN (finished_at - submitted_at) / 1000 > run_us / 1000"
        " THEN (finished_at - submitted_at) / 1000 ELSE run_us / 1000 END"
    ),
}

text_table = Table(
    "text",
    metadata,
    id_column(),
    Column("title", String(200), nullable=False),
    Column("content", Text, nullable=False),
    Column("char_count", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("filename", String(255)),
    Column("encoding", String(16)),
    Column("source", String(10), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("task_id", BigInteger),
    Column("audio_id", BigInteger),
    Column("state", String(10), nullable=False, server_default="pending"),
    CheckConstraint(f"state IN ({STATUSES})", name="state"),
    CheckConstraint(f"source IN ({SOURCE_LIST})", name="source"),
    CheckConstraint("char_count >= 0", name="char_count"),
    Index("ix_text_task", "task_id"),
    Index("ix_text_content_hash", "content_hash"),
    Index("ix_text_title", "title"),
    Index(
        "ix_text_deleted",
        "deleted_at",
        "id",
        sqlite_where=text("deleted_at IS NOT NULL AND source <> 'canary'"),
        postgresql_where=text("deleted_at IS NOT NULL AND source <> 'canary'"),
    ),
    Index(
        "ix_text_failed",
        "id",
        sqlite_where=text("state IN ('failed', 'timeout') AND deleted_at IS NULL"),
        postgresql_where=text("state IN ('failed', 'timeout') AND deleted_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

submission_table = Table(
    "submission",
    metadata,
    id_column(),
    Column("text_id", BigInteger, ForeignKey("text.id"), nullable=False),
    Column("task_id", BigInteger, ForeignKey("task.id"), nullable=False),
    Column("disposition", String(10), nullable=False),
    Column("source", String(10), nullable=False),
    Column("idempotency_key", String(255)),
    Column("request_hash", String(64)),
    Column("trace_id", String(32)),
    Column("span_id", String(16)),
    Column("created_at", BigInteger, nullable=False),
    Column("cancelled_at", BigInteger),
    # what it counts by: its task's engine, its text's length, the sound that it was answered by
    Column("engine", String(40), nullable=False, server_default=""),
    Column("char_count", Integer, nullable=False, server_default="0"),
    Column("audio_ms", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("disposition IN ('new', 'followed', 'skipped')", name="disposition"),
    CheckConstraint(f"source IN ({SOURCE_LIST})", name="source"),
    UniqueConstraint("idempotency_key"),
    Index("ix_submission_text", "text_id"),
    Index("ix_submission_task", "task_id"),
    Index(
        "ix_submission_key",
        "created_at",
        sqlite_where=text("idempotency_key IS NOT NULL"),
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    Index(
        "ix_submission_created",
        "created_at",
        sqlite_where=text("source <> 'canary'"),
        postgresql_where=text("source <> 'canary'"),
    ),
    sqlite_autoincrement=True,
)

task_table = Table(
    "task",
    metadata,
    id_column(),
    Column("text_id", BigInteger, ForeignKey("text.id"), nullable=False),
    Column("retry_of", BigInteger),
    Column("content_key", String(64), nullable=False),
    Column("status", String(10), nullable=False),
    # lower goes first
    Column("priority", SmallInteger, nullable=False, server_default="0"),
    # what is to be done
    Column("engine", String(40), nullable=False),
    Column("engine_version", String(40), nullable=False),
    Column("voice", String(80), nullable=False),
    Column("language", String(20)),
    Column("format", String(8), nullable=False),
    Column("params", Text, nullable=False, server_default="{}"),
    Column("source", String(10), nullable=False),
    Column("char_count", Integer, nullable=False),
    # limits
    Column("timeout_us", BigInteger, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("give_up_at", BigInteger, nullable=False),
    # moments
    Column("submitted_at", BigInteger, nullable=False),
    Column("queued_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("claimed_at", BigInteger),
    Column("deadline_at", BigInteger),
    Column("progress_at", BigInteger),
    Column("timed_out_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("run_us", BigInteger, nullable=False, server_default="0"),
    # who runs it
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("tries_used", Integer, nullable=False, server_default="0"),
    Column("lost_count", Integer, nullable=False, server_default="0"),
    Column("worker_id", String(32)),
    Column("worker_name", String(120)),
    Column("release", String(80)),
    Column("wait_reason", String(20), nullable=False, server_default="queued"),
    Column("rescued_at", BigInteger),
    Column("rescued_by", String(160)),
    Column("rescued_reason", String(200)),
    # how far it is
    Column("phase", String(10)),
    Column("phase_permille", SmallInteger, nullable=False, server_default="0"),
    Column("segment_count", Integer),
    Column("segments_done", Integer, nullable=False, server_default="0"),
    # how it ended
    Column("error_type", String(80)),
    Column("error_kind", String(12)),
    Column("error_message", String(1000)),
    Column("fingerprint", String(40)),
    Column("audio_id", BigInteger),
    Column("audio_duration_ms", BigInteger),
    Column("audio_bytes", BigInteger),
    # trace
    Column("trace_id", String(32), nullable=False),
    Column("span_id", String(16), nullable=False),
    Column("parent_span_id", String(16)),
    Column("trace_state", String(512)),
    Column("links", Text, nullable=False, server_default="[]"),
    # what a look into Jaeger found; NULL: nobody has looked, or looked without a verdict
    Column("trace_seen_at", BigInteger),
    Column("trace_missing_at", BigInteger),
    Column("trace_resends", SmallInteger, nullable=False, server_default="0"),
    # the host of the last attempt, and what all attempts waited for capacity
    Column("host", String(255)),
    Column("capacity_count", Integer, nullable=False, server_default="0"),
    Column("capacity_us", BigInteger, nullable=False, server_default="0"),
    # whole milliseconds, once it has ended: total = wait + run
    *(Column(name, BigInteger, Computed(sql)) for name, sql in DURATIONS.items()),
    CheckConstraint(f"status IN ({STATUSES})", name="status"),
    CheckConstraint(f"source IN ({SOURCE_LIST})", name="source"),
    CheckConstraint(f"format IN ({FORMAT_LIST})", name="format"),
    CheckConstraint(
        "attempt >= 0 AND tries_used >= 0 AND lost_count >= 0 AND max_attempts >= 1"
        " AND timeout_us > 0 AND run_us >= 0",
        name="counts",
    ),
    CheckConstraint("phase_permille BETWEEN 0 AND 1000", name="progress"),
    CheckConstraint(
        "(status IN ('pending', 'processing')) = (finished_at IS NULL)", name="finished"
    ),
    CheckConstraint(
        "status <> 'processing' OR (worker_id IS NOT NULL AND deadline_at IS NOT NULL"
        " AND claimed_at IS NOT NULL)",
        name="processing",
    ),
    Index("ix_task_text", "text_id"),
    Index("ix_task_trace", "trace_id"),
    Index(
        "ix_task_finished",
        "finished_at",
        "id",
        sqlite_where=text("finished_at IS NOT NULL"),
        postgresql_where=text("finished_at IS NOT NULL"),
    ),
    Index(
        "ix_task_pending",
        "priority",
        "id",
        sqlite_where=text("status = 'pending'"),
        postgresql_where=text("status = 'pending'"),
    ),
    Index(
        "ix_task_queued",
        "queued_at",
        sqlite_where=text("status = 'pending' AND source <> 'canary'"),
        postgresql_where=text("status = 'pending' AND source <> 'canary'"),
    ),
    Index(
        "ix_task_processing",
        "worker_id",
        sqlite_where=text("status = 'processing'"),
        postgresql_where=text("status = 'processing'"),
    ),
    Index(
        "ux_task_content_live",
        "content_key",
        unique=True,
        sqlite_where=text("status IN ('pending', 'processing')"),
        postgresql_where=text("status IN ('pending', 'processing')"),
    ),
    Index(
        "ix_task_content_done",
        "content_key",
        sqlite_where=text("status = 'completed'"),
        postgresql_where=text("status = 'completed'"),
    ),
    *(
        Index(
            f"ix_task_{name}",
            name,
            "id",
            "status",
            sqlite_where=text("finished_at IS NOT NULL AND source <> 'canary'"),
            postgresql_where=text("finished_at IS NOT NULL AND source <> 'canary'"),
        )
        for name in DURATIONS
    ),
    Index(
        "ix_task_canary",
        "id",
        sqlite_where=text("source = 'canary'"),
        postgresql_where=text("source = 'canary'"),
    ),
    sqlite_autoincrement=True,
)

segment_table = Table(
    "segment",
    metadata,
    Column("task_id", BigInteger, ForeignKey("task.id"), primary_key=True, autoincrement=False),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("start", Integer, nullable=False),
    Column("stop", Integer, nullable=False),
    Column("units", Float, nullable=False),
    Column("boundary", String(10), nullable=False),
    Column("language", String(20)),
    Column("input_hash", String(64)),
    Column("status", String(8), nullable=False),
    Column("storage_key", String(200)),
    Column("sample_rate", Integer),
    Column("duration_ms", Integer),
    Column("rms_dbfs", Float),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("reused", Boolean, nullable=False, server_default=text("false")),
    Column("attempt", Integer),
    Column("span_id", String(16)),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("offset_ms", BigInteger),
    Column("marks", Text),
    CheckConstraint("status IN ('waiting', 'done', 'pause')", name="status"),
    CheckConstraint("start >= 0 AND stop > start", name="span"),
    CheckConstraint("status <> 'done' OR storage_key IS NOT NULL", name="done"),
    Index(
        "ix_segment_input_hash",
        "input_hash",
        sqlite_where=text("status = 'done'"),
        postgresql_where=text("status = 'done'"),
    ),
)

audio_table = Table(
    "audio",
    metadata,
    id_column(),
    Column("text_id", BigInteger, ForeignKey("text.id"), nullable=False),
    Column("task_id", BigInteger, ForeignKey("task.id")),
    Column("storage_key", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("filename", String(255), nullable=False),
    Column("format", String(8), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("duration_ms", BigInteger),
    Column("sample_rate", Integer),
    Column("is_valid", Boolean, nullable=False),
    Column("checks", Text, nullable=False, server_default="{}"),
    Column("peaks", Text),
    Column("source", String(10), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    CheckConstraint("source IN ('made', 'import')", name="source"),
    CheckConstraint("size_bytes >= 0", name="size"),
    Index("ix_audio_text", "text_id"),
    Index("ix_audio_task", "task_id"),
    Index("ix_audio_storage_key", "storage_key"),
    sqlite_autoincrement=True,
)

caption_table = Table(
    "caption",
    metadata,
    Column("audio_id", BigInteger, ForeignKey("audio.id"), primary_key=True, autoincrement=False),
    Column("format", String(4), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    CheckConstraint("format IN ('srt', 'vtt')", name="format"),
)
