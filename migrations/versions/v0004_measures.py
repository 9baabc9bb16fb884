"""What is counted beside the totals of tasks: engine calls, flags, what processes count."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes `stat_engine`, `stat_count` and `process_count`."""
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
        sa.Column("instance", sa.String(length=64), nullable=False),
        sa.Column("program", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("labels", sa.String(length=400), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "instance", "program", "name", "labels", name=op.f("pk_process_count")
        ),
    )


def downgrade() -> None:
    """Removes them."""
    for name in ("process_count", "stat_count", "stat_engine"):
        op.drop_table(name)
