"""What is counted beside the totals of tasks: engine calls, flags, what processes count."""

import sqlalchemy as sa
from alembic import op

from migrations import triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WAITS = sa.text("status = 'pending' AND source <> 'canary'")
#: What happened before this revision, as far as rows tell it.
_SO_FAR = (
    """INSERT INTO stat_count (shard, name, n)
    SELECT 0, 'finished.' || status, sum(n) FROM stat_task
    WHERE status NOT IN ('pending', 'processing') GROUP BY status""",
    """INSERT INTO stat_count (shard, name, n)
    SELECT 0, 'deadline_flags', count(*) FROM task_attempt
    JOIN task ON task.id = task_attempt.task_id
    WHERE task_attempt.timed_out_at IS NOT NULL AND task.source <> 'canary'
    HAVING count(*) > 0""",
)


def upgrade() -> None:
    """Makes `stat_engine`, `stat_count` and `process_count`, their triggers, and an index."""
    op.create_table(
        "stat_engine",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("sum_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("outcome IN ('ok', 'error')", name=op.f("ck_stat_engine_outcome")),
        sa.PrimaryKeyConstraint(
            "shard", "engine", "outcome", "bucket", name=op.f("pk_stat_engine")
        ),
    )
    op.create_table(
        "stat_count",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "name", name=op.f("pk_stat_count")),
    )
    op.create_table(
        "process_count",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("program", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("labels", sa.String(length=400), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "shard", "program", "name", "labels", name=op.f("pk_process_count")
        ),
    )
    op.create_index(
        "ix_task_queued",
        "task",
        ["queued_at"],
        unique=False,
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
    for statement in (*_SO_FAR, *triggers.count_statements(op.get_bind().dialect.name)):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Removes them."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table in (("tr_task_finished", "task"), ("tr_attempt_late", "task_attempt")):
        op.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
    for name in () if is_sqlite else ("voxtrace_task_finished", "voxtrace_attempt_late"):
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_index(
        "ix_task_queued",
        table_name="task",
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
    for name in ("process_count", "stat_count", "stat_engine"):
        op.drop_table(name)
