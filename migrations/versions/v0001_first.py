"""The first schema."""

import sqlalchemy as sa
from alembic import op

from migrations import triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes every table, index and trigger."""
    op.create_table(
        "duty",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=160), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("ticked_at", sa.BigInteger(), nullable=False),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("failure_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("state", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duty")),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.String(length=160), nullable=False),
        sa.CheckConstraint("value >= 0", name=op.f("ck_setting_value")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "span_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("n_spans", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_span_outbox_sent_at")
        ),
        sa.CheckConstraint("state IN ('new', 'sent', 'poison')", name=op.f("ck_span_outbox_state")),
        sa.CheckConstraint("rank IN (0, 1, 2)", name=op.f("ck_span_outbox_rank")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_span_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_span_outbox_new",
        "span_outbox",
        ["id", "rank", "size_bytes", "created_at"],
        unique=False,
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index(
        "ix_span_outbox_poison",
        "span_outbox",
        ["id", "size_bytes", "created_at"],
        unique=False,
        sqlite_where=sa.text("state = 'poison'"),
        postgresql_where=sa.text("state = 'poison'"),
    )
    op.create_index(
        "ix_span_outbox_sent",
        "span_outbox",
        ["sent_at", "id", "size_bytes"],
        unique=False,
        sqlite_where=sa.text("state = 'sent'"),
        postgresql_where=sa.text("state = 'sent'"),
    )
    op.create_index(
        "ix_span_outbox_task",
        "span_outbox",
        ["task_id", "id"],
        unique=False,
        sqlite_where=sa.text("task_id IS NOT NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )
    op.create_index(
        "ix_span_outbox_trace",
        "span_outbox",
        ["trace_id", "id"],
        unique=False,
        sqlite_where=sa.text("trace_id IS NOT NULL"),
        postgresql_where=sa.text("trace_id IS NOT NULL"),
    )
    op.create_table(
        "span_outbox_loss",
        sa.Column("rank", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("span_count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rank", name=op.f("pk_span_outbox_loss")),
    )
    op.create_table(
        "stat_task",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("run_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "status", name=op.f("pk_stat_task")),
    )
    op.create_table(
        "stat_text",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "state", name=op.f("pk_stat_text")),
    )
    op.create_table(
        "text",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("char_count", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=True),
        sa.Column("encoding", sa.String(length=16), nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("audio_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=10), server_default="pending", nullable=False),
        sa.CheckConstraint(
            "source IN ('page', 'api', 'legacy', 'cli', 'canary', 'import')",
            name=op.f("ck_text_source"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'processing', 'completed', 'failed', 'timeout', 'cancelled')",
            name=op.f("ck_text_state"),
        ),
        sa.CheckConstraint("char_count >= 0", name=op.f("ck_text_char_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_text_content_hash", "text", ["content_hash"], unique=False)
    op.create_index(
        "ix_text_failed",
        "text",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state IN ('failed', 'timeout') AND deleted_at IS NULL"),
        postgresql_where=sa.text("state IN ('failed', 'timeout') AND deleted_at IS NULL"),
    )
    op.create_index("ix_text_task", "text", ["task_id"], unique=False)
    op.create_index("ix_text_title", "text", ["title"], unique=False)
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pid_ticks", sa.BigInteger(), nullable=True),
        sa.Column("release", sa.String(length=80), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "state IN ('up', 'draining', 'stopped', 'dead')", name=op.f("ck_worker_state")
        ),
        sa.CheckConstraint("concurrency >= 1", name=op.f("ck_worker_concurrency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_index(
        "ix_worker_live",
        "worker",
        ["heartbeat_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('up', 'draining')"),
        postgresql_where=sa.text("state IN ('up', 'draining')"),
    )
    op.create_table(
        "task",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("text_id", sa.BigInteger(), nullable=False),
        sa.Column("retry_of", sa.BigInteger(), nullable=True),
        sa.Column("content_key", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("engine_version", sa.String(length=40), nullable=False),
        sa.Column("voice", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("params", sa.Text(), server_default="{}", nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("char_count", sa.Integer(), nullable=False),
        sa.Column("timeout_us", sa.BigInteger(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("give_up_at", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("deadline_at", sa.BigInteger(), nullable=True),
        sa.Column("progress_at", sa.BigInteger(), nullable=True),
        sa.Column("timed_out_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("run_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries_used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lost_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker_id", sa.String(length=32), nullable=True),
        sa.Column("worker_name", sa.String(length=120), nullable=True),
        sa.Column("release", sa.String(length=80), nullable=True),
        sa.Column("wait_reason", sa.String(length=20), server_default="queued", nullable=False),
        sa.Column("rescued_at", sa.BigInteger(), nullable=True),
        sa.Column("rescued_by", sa.String(length=160), nullable=True),
        sa.Column("rescued_reason", sa.String(length=200), nullable=True),
        sa.Column("phase", sa.String(length=10), nullable=True),
        sa.Column("phase_permille", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("segment_count", sa.Integer(), nullable=True),
        sa.Column("segments_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error_type", sa.String(length=80), nullable=True),
        sa.Column("error_kind", sa.String(length=12), nullable=True),
        sa.Column("error_message", sa.String(length=1000), nullable=True),
        sa.Column("fingerprint", sa.String(length=40), nullable=True),
        sa.Column("audio_id", sa.BigInteger(), nullable=True),
        sa.Column("audio_duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("audio_bytes", sa.BigInteger(), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("span_id", sa.String(length=16), nullable=False),
        sa.Column("parent_span_id", sa.String(length=16), nullable=True),
        sa.Column("trace_state", sa.String(length=512), nullable=True),
        sa.Column("links", sa.Text(), server_default="[]", nullable=False),
        sa.CheckConstraint(
            "(status IN ('pending', 'processing')) = (finished_at IS NULL)",
            name=op.f("ck_task_finished"),
        ),
        sa.CheckConstraint("format IN ('mp3', 'opus', 'flac', 'wav')", name=op.f("ck_task_format")),
        sa.CheckConstraint(
            "source IN ('page', 'api', 'legacy', 'cli', 'canary', 'import')",
            name=op.f("ck_task_source"),
        ),
        sa.CheckConstraint(
            "status <> 'processing' OR (worker_id IS NOT NULL AND deadline_at IS NOT NULL AND claimed_at IS NOT NULL)",
            name=op.f("ck_task_processing"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'timeout', 'cancelled')",
            name=op.f("ck_task_status"),
        ),
        sa.CheckConstraint(
            "attempt >= 0 AND tries_used >= 0 AND lost_count >= 0 AND max_attempts >= 1 AND timeout_us > 0 AND run_us >= 0",
            name=op.f("ck_task_counts"),
        ),
        sa.CheckConstraint("phase_permille BETWEEN 0 AND 1000", name=op.f("ck_task_progress")),
        sa.ForeignKeyConstraint(["text_id"], ["text.id"], name=op.f("fk_task_text_id_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_task_cancelled",
        "task",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status = 'cancelled'"),
        postgresql_where=sa.text("status = 'cancelled'"),
    )
    op.create_index(
        "ix_task_completed",
        "task",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status = 'completed'"),
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.create_index(
        "ix_task_content_done",
        "task",
        ["content_key"],
        unique=False,
        sqlite_where=sa.text("status = 'completed'"),
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.create_index(
        "ix_task_failed",
        "task",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status = 'failed'"),
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.create_index(
        "ix_task_pending",
        "task",
        ["priority", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_task_processing",
        "task",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("status = 'processing'"),
        postgresql_where=sa.text("status = 'processing'"),
    )
    op.create_index("ix_task_text", "task", ["text_id"], unique=False)
    op.create_index(
        "ix_task_timeout",
        "task",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status = 'timeout'"),
        postgresql_where=sa.text("status = 'timeout'"),
    )
    op.create_index("ix_task_trace", "task", ["trace_id"], unique=False)
    op.create_index(
        "ux_task_content_live",
        "task",
        ["content_key"],
        unique=True,
        sqlite_where=sa.text("status IN ('pending', 'processing')"),
        postgresql_where=sa.text("status IN ('pending', 'processing')"),
    )
    op.create_table(
        "audio",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("text_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("sample_rate", sa.Integer(), nullable=True),
        sa.Column("is_valid", sa.Boolean(), nullable=False),
        sa.Column("checks", sa.Text(), server_default="{}", nullable=False),
        sa.Column("peaks", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("source IN ('made', 'import')", name=op.f("ck_audio_source")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_audio_size")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_audio_task_id_task")),
        sa.ForeignKeyConstraint(["text_id"], ["text.id"], name=op.f("fk_audio_text_id_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audio")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audio_storage_key", "audio", ["storage_key"], unique=False)
    op.create_index("ix_audio_text", "audio", ["text_id"], unique=False)
    op.create_table(
        "event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("from_status", sa.String(length=10), nullable=True),
        sa.Column("to_status", sa.String(length=10), nullable=True),
        sa.Column("by", sa.String(length=160), nullable=False),
        sa.Column("detail", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_event_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_task", "event", ["task_id", "id"], unique=False)
    op.create_table(
        "segment",
        sa.Column("task_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("stop", sa.Integer(), nullable=False),
        sa.Column("units", sa.Float(), nullable=False),
        sa.Column("boundary", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("input_hash", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("sample_rate", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("rms_dbfs", sa.Float(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("span_id", sa.String(length=16), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("marks", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status <> 'done' OR storage_key IS NOT NULL", name=op.f("ck_segment_done")
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'done', 'pause')", name=op.f("ck_segment_status")
        ),
        sa.CheckConstraint("start >= 0 AND stop > start", name=op.f("ck_segment_span")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_segment_task_id_task")),
        sa.PrimaryKeyConstraint("task_id", "idx", name=op.f("pk_segment")),
    )
    op.create_index(
        "ix_segment_input_hash",
        "segment",
        ["input_hash"],
        unique=False,
        sqlite_where=sa.text("status = 'done'"),
        postgresql_where=sa.text("status = 'done'"),
    )
    op.create_table(
        "submission",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("text_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("disposition", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=True),
        sa.Column("span_id", sa.String(length=16), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "disposition IN ('new', 'followed', 'skipped')", name=op.f("ck_submission_disposition")
        ),
        sa.CheckConstraint(
            "source IN ('page', 'api', 'legacy', 'cli', 'canary', 'import')",
            name=op.f("ck_submission_source"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_submission_task_id_task")),
        sa.ForeignKeyConstraint(["text_id"], ["text.id"], name=op.f("fk_submission_text_id_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_submission_idempotency_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_submission_task", "submission", ["task_id"], unique=False)
    op.create_index("ix_submission_text", "submission", ["text_id"], unique=False)
    op.create_table(
        "task_attempt",
        sa.Column("task_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("span_id", sa.String(length=16), nullable=False),
        sa.Column("worker_id", sa.String(length=32), nullable=False),
        sa.Column("worker_name", sa.String(length=120), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("release", sa.String(length=80), nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("wait_reason", sa.String(length=20), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("pid_ticks", sa.BigInteger(), nullable=True),
        sa.Column("begun_at", sa.BigInteger(), nullable=True),
        sa.Column("timed_out_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("error_type", sa.String(length=80), nullable=True),
        sa.Column("error_kind", sa.String(length=12), nullable=True),
        sa.Column("error_code", sa.String(length=80), nullable=True),
        sa.Column("error_message", sa.String(length=1000), nullable=True),
        sa.Column("exit_signal", sa.Integer(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("last_heartbeat_at", sa.BigInteger(), nullable=True),
        sa.Column("rebuilt_by", sa.String(length=160), nullable=True),
        sa.Column("rebuilt_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('completed', 'failed', 'timeout', 'cancelled', 'retry', 'capacity', 'handed_back', 'lost')",
            name=op.f("ck_task_attempt_outcome"),
        ),
        sa.CheckConstraint(
            "(outcome IS NULL) = (finished_at IS NULL)", name=op.f("ck_task_attempt_finished")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["task.id"], name=op.f("fk_task_attempt_task_id_task")
        ),
        sa.PrimaryKeyConstraint("task_id", "attempt", name=op.f("pk_task_attempt")),
    )
    op.create_index(
        "ix_task_attempt_open",
        "task_attempt",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index(
        "ix_task_attempt_taken",
        "task_attempt",
        ["host", "finished_at"],
        unique=False,
        sqlite_where=sa.text("outcome IN ('lost', 'timeout', 'cancelled', 'handed_back')"),
        postgresql_where=sa.text("outcome IN ('lost', 'timeout', 'cancelled', 'handed_back')"),
    )
    op.create_table(
        "caption",
        sa.Column("audio_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("format", sa.String(length=4), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("format IN ('srt', 'vtt')", name=op.f("ck_caption_format")),
        sa.ForeignKeyConstraint(["audio_id"], ["audio.id"], name=op.f("fk_caption_audio_id_audio")),
        sa.PrimaryKeyConstraint("audio_id", "format", name=op.f("pk_caption")),
    )
    for statement in triggers.statements(op.get_bind().dialect.name):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Removes everything."""
    op.drop_table("caption")
    op.drop_index(
        "ix_task_attempt_taken",
        table_name="task_attempt",
        sqlite_where=sa.text("outcome IN ('lost', 'timeout', 'cancelled', 'handed_back')"),
        postgresql_where=sa.text("outcome IN ('lost', 'timeout', 'cancelled', 'handed_back')"),
    )
    op.drop_index(
        "ix_task_attempt_open",
        table_name="task_attempt",
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.drop_table("task_attempt")
    op.drop_index("ix_submission_text", table_name="submission")
    op.drop_index("ix_submission_task", table_name="submission")
    op.drop_table("submission")
    op.drop_index(
        "ix_segment_input_hash",
        table_name="segment",
        sqlite_where=sa.text("status = 'done'"),
        postgresql_where=sa.text("status = 'done'"),
    )
    op.drop_table("segment")
    op.drop_index("ix_event_task", table_name="event")
    op.drop_table("event")
    op.drop_index("ix_audio_text", table_name="audio")
    op.drop_index("ix_audio_storage_key", table_name="audio")
    op.drop_table("audio")
    op.drop_index(
        "ux_task_content_live",
        table_name="task",
        sqlite_where=sa.text("status IN ('pending', 'processing')"),
        postgresql_where=sa.text("status IN ('pending', 'processing')"),
    )
    op.drop_index("ix_task_trace", table_name="task")
    op.drop_index(
        "ix_task_timeout",
        table_name="task",
        sqlite_where=sa.text("status = 'timeout'"),
        postgresql_where=sa.text("status = 'timeout'"),
    )
    op.drop_index("ix_task_text", table_name="task")
    op.drop_index(
        "ix_task_processing",
        table_name="task",
        sqlite_where=sa.text("status = 'processing'"),
        postgresql_where=sa.text("status = 'processing'"),
    )
    op.drop_index(
        "ix_task_pending",
        table_name="task",
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(
        "ix_task_failed",
        table_name="task",
        sqlite_where=sa.text("status = 'failed'"),
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.drop_index(
        "ix_task_content_done",
        table_name="task",
        sqlite_where=sa.text("status = 'completed'"),
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.drop_index(
        "ix_task_completed",
        table_name="task",
        sqlite_where=sa.text("status = 'completed'"),
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.drop_index(
        "ix_task_cancelled",
        table_name="task",
        sqlite_where=sa.text("status = 'cancelled'"),
        postgresql_where=sa.text("status = 'cancelled'"),
    )
    op.drop_table("task")
    op.drop_index(
        "ix_worker_live",
        table_name="worker",
        sqlite_where=sa.text("state IN ('up', 'draining')"),
        postgresql_where=sa.text("state IN ('up', 'draining')"),
    )
    op.drop_table("worker")
    op.drop_index("ix_text_title", table_name="text")
    op.drop_index("ix_text_task", table_name="text")
    op.drop_index(
        "ix_text_failed",
        table_name="text",
        sqlite_where=sa.text("state IN ('failed', 'timeout') AND deleted_at IS NULL"),
        postgresql_where=sa.text("state IN ('failed', 'timeout') AND deleted_at IS NULL"),
    )
    op.drop_index("ix_text_content_hash", table_name="text")
    op.drop_table("text")
    op.drop_table("stat_text")
    op.drop_table("stat_task")
    op.drop_table("span_outbox_loss")
    op.drop_index(
        "ix_span_outbox_trace",
        table_name="span_outbox",
        sqlite_where=sa.text("trace_id IS NOT NULL"),
        postgresql_where=sa.text("trace_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_span_outbox_task",
        table_name="span_outbox",
        sqlite_where=sa.text("task_id IS NOT NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_span_outbox_sent",
        table_name="span_outbox",
        sqlite_where=sa.text("state = 'sent'"),
        postgresql_where=sa.text("state = 'sent'"),
    )
    op.drop_index(
        "ix_span_outbox_poison",
        table_name="span_outbox",
        sqlite_where=sa.text("state = 'poison'"),
        postgresql_where=sa.text("state = 'poison'"),
    )
    op.drop_index(
        "ix_span_outbox_new",
        table_name="span_outbox",
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.drop_table("span_outbox")
    op.drop_table("setting")
    op.drop_table("duty")
