"""Tables of what watches the service: log lines of tasks, measures, canaries."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
)

from app.store.metadata import id_column, metadata

task_log_table = Table(
    "task_log",
    metadata,
    id_column(),
    Column("task_id", BigInteger, ForeignKey("task.id"), nullable=False),
    Column("attempt", Integer),
    Column("at", BigInteger, nullable=False),
    # number of the logging package: 10 debug, 20 info, 30 warning, 40 error
    Column("level", SmallInteger, nullable=False),
    Column("logger", String(80), nullable=False),
    Column("message", String(1000), nullable=False),
    # what else the line tells, as a JSON object
    Column("fields", Text, nullable=False, server_default="{}"),
    # program and process that wrote it
    Column("program", String(20), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("span_id", String(16)),
    Index("ix_task_log_task", "task_id", "id"),
    sqlite_autoincrement=True,
)

stat_engine_table = Table(
    "stat_engine",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("engine", String(40), primary_key=True),
    Column("outcome", String(8), primary_key=True),
    # number of the bucket, from 0; the last one has no upper bound
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("sum_us", BigInteger, nullable=False),
    CheckConstraint("outcome IN ('ok', 'error')", name="outcome"),
)

stat_count_table = Table(
    "stat_count",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("name", String(40), primary_key=True),
    Column("n", BigInteger, nullable=False),
)

# What processes count of themselves (the SDK's self-metrics, telemetry that failed). Each adds what
# grew since it did so last, now and then: a total never falls, and who dies loses some seconds.
process_count_table = Table(
    "process_count",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("program", String(20), primary_key=True),
    Column("name", String(120), primary_key=True),
    # a JSON object with sorted keys
    Column("labels", String(400), primary_key=True),
    Column("n", BigInteger, nullable=False),
)

canary_table = Table(
    "canary",
    metadata,
    id_column(),
    Column("task_id", BigInteger),
    Column("started_at", BigInteger, nullable=False),
    # the stage that it is in or ended in: submit, queue, run, audio, trace, done
    Column("stage", String(10), nullable=False),
    Column("finished_at", BigInteger),
    # NULL where it ended without a verdict: other work held every slot, or a person paused all
    Column("is_ok", Boolean),
    # why it ended so, as one word for the pages, and in words
    Column("cause", String(20)),
    Column("detail", String(500)),
    Column("queue_us", BigInteger),
    Column("run_us", BigInteger),
    Column("trace_us", BigInteger),
    CheckConstraint("stage IN ('submit', 'queue', 'run', 'audio', 'trace', 'done')", name="stage"),
    CheckConstraint("is_ok IS NULL OR finished_at IS NOT NULL", name="finished"),
    sqlite_autoincrement=True,
)
