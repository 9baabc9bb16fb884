"""Statistics: sums, histogram and rollups of tasks, kept by triggers; the ledger of what went."""

import sqlalchemy as sa
from alembic import op

from migrations import counting, statistics, triggers

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ENDED = sa.text("finished_at IS NOT NULL AND source <> 'canary'")
#: Whole milliseconds of a task that has ended: it ran, it was there, and the rest it waited.
_DURATIONS = {
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


def upgrade() -> None:
    """Makes columns, tables, indexes and triggers, and counts the rows that are there."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    replaced = dict.fromkeys(statistics.REPLACED, "task")
    _drop_triggers(replaced, statistics.REPLACED_FUNCTIONS, is_sqlite=is_sqlite)
    _add_columns(is_sqlite=is_sqlite)
    _make_tables()
    op.execute("DELETE FROM stat_count WHERE name LIKE 'finished.%'")
    op.drop_table("stat_task")
    rows = [{"low_ms": low_ms} for low_ms in counting.bounds()]
    op.bulk_insert(sa.table("stat_bound", sa.column("low_ms", sa.BigInteger())), rows)
    for statement in (*statistics.BACKFILL, *statistics.statements(op.get_bind().dialect.name)):
        op.execute(sa.text(statement))
    for name in _DURATIONS:
        op.create_index(
            f"ix_task_{name}",
            "task",
            [name, "id", "status"],
            unique=False,
            sqlite_where=_ENDED,
            postgresql_where=_ENDED,
        )


def _drop_triggers(tables: dict[str, str], functions: tuple[str, ...], *, is_sqlite: bool) -> None:
    for name, table in tables.items():
        op.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
    for function in () if is_sqlite else functions:
        op.execute(f"DROP FUNCTION {function}()")


def _add_columns(*, is_sqlite: bool) -> None:
    op.add_column("task", sa.Column("host", sa.String(length=255), nullable=True))
    for name, kind in (("capacity_count", sa.Integer()), ("capacity_us", sa.BigInteger())):
        op.add_column("task", sa.Column(name, kind, server_default=sa.text("0"), nullable=False))
    # the host of the last attempt, and what its attempts waited for capacity so far
    op.execute(
        "UPDATE task SET host = (SELECT a.host FROM task_attempt a"
        " WHERE a.task_id = task.id AND a.attempt = task.attempt),"
        " capacity_count = (SELECT count(*) FROM task_attempt a"
        " WHERE a.task_id = task.id AND a.wait_reason = 'capacity'),"
        " capacity_us = coalesce((SELECT sum(a.claimed_at - a.queued_at) FROM task_attempt a"
        " WHERE a.task_id = task.id AND a.wait_reason = 'capacity'), 0)"
    )
    kept = "VIRTUAL" if is_sqlite else "STORED"
    for name, sql in _DURATIONS.items():
        op.execute(f"ALTER TABLE task ADD COLUMN {name} BIGINT GENERATED ALWAYS AS ({sql}) {kept}")


def _sums() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in counting.SUMS]


def _shard() -> sa.Column[int]:
    return sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False)


def _archived() -> sa.Column[int]:
    return sa.Column("archived", sa.SmallInteger(), autoincrement=False, nullable=False)


def _status() -> sa.Column[str]:
    return sa.Column("status", sa.String(length=10), nullable=False)


def _period() -> tuple[sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("grain", sa.String(length=4), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
    )


def _make_tables() -> None:
    _make_counters()
    _make_cube()
    _make_checks()


def _make_counters() -> None:
    op.create_table(
        "stat_bound",
        sa.Column("low_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("low_ms", name=op.f("pk_stat_bound")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stat_total",
        _archived(),
        _status(),
        _shard(),
        *_sums(),
        sa.PrimaryKeyConstraint("archived", "status", "shard", name=op.f("pk_stat_total")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stat_hist",
        _archived(),
        sa.Column("measure", sa.String(length=5), nullable=False),
        sa.Column("low_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        _shard(),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "archived", "measure", "low_ms", "shard", name=op.f("pk_stat_hist")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stat_submission",
        *_period(),
        sa.Column("disposition", sa.String(length=10), nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        _shard(),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("char_count", sa.BigInteger(), nullable=False),
        sa.Column("audio_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "grain", "start", "disposition", "engine", "shard", name=op.f("pk_stat_submission")
        ),
        sqlite_with_rowid=False,
    )


def _make_cube() -> None:
    op.create_table(
        "stat_period",
        *_period(),
        _archived(),
        _status(),
        _shard(),
        *_sums(),
        sa.PrimaryKeyConstraint(
            "grain", "start", "archived", "status", "shard", name=op.f("pk_stat_period")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stat_cube",
        *_period(),
        _archived(),
        _status(),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("voice", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("release", sa.String(length=80), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint(
            "grain",
            "start",
            "archived",
            "status",
            "engine",
            "voice",
            "language",
            "worker",
            "host",
            "release",
            name=op.f("pk_stat_cube"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stat_latency",
        *_period(),
        sa.Column("dimension", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("buckets", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "grain", "start", "dimension", "value", name=op.f("pk_stat_latency")
        ),
        sqlite_with_rowid=False,
    )


def _make_checks() -> None:
    op.create_table(
        "stat_check",
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("drift_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("start", name=op.f("pk_stat_check")),
    )
    op.create_table(
        "stat_drift",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=600), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("got", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stat_drift")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_stat_drift_start", "stat_drift", ["start"], unique=False)
    op.create_table(
        "archive",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=160), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("from_id", sa.BigInteger(), nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive")),
        sqlite_autoincrement=True,
    )


_TABLES = (
    "archive",
    "stat_drift",
    "stat_check",
    "stat_latency",
    "stat_cube",
    "stat_period",
    "stat_submission",
    "stat_hist",
    "stat_total",
    "stat_bound",
)


def downgrade() -> None:
    """Removes them, and counts tasks as revision 0005 did; what was archived is forgotten."""
    dialect = op.get_bind().dialect.name
    is_sqlite = dialect == "sqlite"
    functions = tuple(name.replace("tr_", "voxtrace_", 1) for name in statistics.TABLES)
    made = statistics.TABLES | (statistics.SQLITE_TABLES if is_sqlite else {})
    _drop_triggers(made, functions, is_sqlite=is_sqlite)
    for name in _DURATIONS:
        op.drop_index(f"ix_task_{name}", table_name="task")
    for name in _TABLES:
        op.drop_table(name)
    for name in (*_DURATIONS, "capacity_us", "capacity_count", "host"):
        op.drop_column("task", name)
    op.create_table(
        "stat_task",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("run_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "status", name=op.f("pk_stat_task")),
    )
    op.execute(
        "INSERT INTO stat_task (shard, status, n, run_ms) SELECT 0, status, count(*),"
        " sum(CASE WHEN finished_at IS NULL THEN 0 ELSE run_us / 1000 END)"
        " FROM task WHERE source <> 'canary' GROUP BY status"
    )
    op.execute(
        "INSERT INTO stat_count (shard, name, n) SELECT 0, 'finished.' || status, n FROM stat_task"
        " WHERE status NOT IN ('pending', 'processing')"
    )
    for statement in triggers.task_statements(dialect):
        op.execute(sa.text(statement))
