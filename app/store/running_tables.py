"""Tables of the running service: workers, settings, events, duties, totals."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from app.store.metadata import id_column, metadata

worker_table = Table(
    "worker",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("pid_ticks", BigInteger),
    Column("release", String(80), nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("heartbeat_at", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("ended_at", BigInteger),
    Column("end_reason", String(200)),
    CheckConstraint("state IN ('up', 'draining', 'stopped', 'dead')", name="state"),
    CheckConstraint("concurrency >= 1", name="concurrency"),
    Index("ix_worker_started", "started_at"),
    Index(
        "ix_worker_live",
        "heartbeat_at",
        sqlite_where=text("state IN ('up', 'draining')"),
        postgresql_where=text("state IN ('up', 'draining')"),
    ),
)

setting_table = Table(
    "setting",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("updated_by", String(160), nullable=False),
    CheckConstraint("value >= 0", name="value"),
)

event_table = Table(
    "event",
    metadata,
    id_column(),
    Column("task_id", BigInteger, ForeignKey("task.id"), nullable=False),
    Column("attempt", Integer),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("from_status", String(10)),
    Column("to_status", String(10)),
    Column("by", String(160), nullable=False),
    Column("detail", String(1000)),
    Index("ix_event_task", "task_id", "id"),
    sqlite_autoincrement=True,
)

duty_table = Table(
    "duty",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(160), nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("ticked_at", BigInteger, nullable=False),
    Column("succeeded_at", BigInteger),
    Column("failure_count", Integer, nullable=False, server_default="0"),
    Column("last_error", String(500)),
    Column("state", Text, nullable=False, server_default="{}"),
)

stat_text_table = Table(
    "stat_text",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("state", String(10), primary_key=True),
    Column("n", BigInteger, nullable=False),
)
