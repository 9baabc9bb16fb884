"""The table of attempts: one row for each claim, what came of it, and what it counts by."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    text,
)

from app.store.metadata import COUNTED_OUTCOMES, FAILED_OUTCOMES, metadata

attempt_table = Table(
    "task_attempt",
    metadata,
    Column("task_id", BigInteger, ForeignKey("task.id"), primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("span_id", String(16), nullable=False),
    Column("worker_id", String(32), nullable=False),
    Column("worker_name", String(120), nullable=False),
    Column("host", String(255), nullable=False),
    Column("release", String(80), nullable=False),
    Column("engine", String(40), nullable=False),
    Column("queued_at", BigInteger, nullable=False),
    Column("wait_reason", String(20), nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("deadline_at", BigInteger, nullable=False),
    # the pool child, its process group and its clock tick of start; set when it begins
    Column("pid", Integer),
    Column("pid_ticks", BigInteger),
    Column("begun_at", BigInteger),
    Column("timed_out_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("outcome", String(12)),
    Column("error_type", String(80)),
    Column("error_kind", String(12)),
    Column("error_code", String(80)),
    Column("error_message", String(1000)),
    Column("exit_signal", Integer),
    Column("exit_code", Integer),
    Column("last_heartbeat_at", BigInteger),
    Column("rebuilt_by", String(160)),
    Column("rebuilt_reason", String(200)),
    # what it counts by beside the above: of its task, and how it failed
    Column("voice", String(80), nullable=False, server_default=""),
    Column("language", String(20), nullable=False, server_default=""),
    Column("source", String(10), nullable=False, server_default=""),
    Column("char_count", Integer, nullable=False, server_default="0"),
    Column("fingerprint", String(40)),
    # why that fingerprint: the message with what varies replaced; own frames, innermost first
    Column("template", String(600)),
    Column("frames", String(400)),
    # the same text had failed with this fingerprint before
    Column("is_repeat", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(
        "outcome IN ('completed', 'failed', 'timeout', 'cancelled', 'retry', 'capacity',"
        " 'handed_back', 'lost')",
        name="outcome",
    ),
    CheckConstraint("(outcome IS NULL) = (finished_at IS NULL)", name="finished"),
    Index(
        "ix_task_attempt_taken",
        "host",
        "finished_at",
        sqlite_where=text("outcome IN ('lost', 'timeout', 'cancelled', 'handed_back')"),
        postgresql_where=text("outcome IN ('lost', 'timeout', 'cancelled', 'handed_back')"),
    ),
    Index(
        "ix_task_attempt_ended",
        "finished_at",
        "task_id",
        "attempt",
        sqlite_where=text(f"outcome IN ({COUNTED_OUTCOMES}) AND source <> 'canary'"),
        postgresql_where=text(f"outcome IN ({COUNTED_OUTCOMES}) AND source <> 'canary'"),
    ),
    Index(
        "ix_task_attempt_failed",
        "finished_at",
        "task_id",
        "attempt",
        sqlite_where=text(f"outcome IN ({FAILED_OUTCOMES}) AND source <> 'canary'"),
        postgresql_where=text(f"outcome IN ({FAILED_OUTCOMES}) AND source <> 'canary'"),
    ),
    Index(
        "ix_task_attempt_fingerprint",
        "fingerprint",
        "finished_at",
        "task_id",
        "attempt",
        sqlite_where=text("fingerprint IS NOT NULL AND source <> 'canary'"),
        postgresql_where=text("fingerprint IS NOT NULL AND source <> 'canary'"),
    ),
    Index(
        "ix_task_attempt_open",
        "worker_id",
        sqlite_where=text("finished_at IS NULL"),
        postgresql_where=text("finished_at IS NULL"),
    ),
)
