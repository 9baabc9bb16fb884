"""Canaries: tasks of our own that go the whole way, to see whether it is open."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes `canary`."""
    op.create_table(
        "canary",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("is_ok", sa.Boolean(), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("queue_us", sa.BigInteger(), nullable=True),
        sa.Column("run_us", sa.BigInteger(), nullable=True),
        sa.Column("trace_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "stage IN ('submit', 'queue', 'run', 'audio', 'trace', 'done')",
            name=op.f("ck_canary_stage"),
        ),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (is_ok IS NULL)", name=op.f("ck_canary_finished")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Removes it."""
    op.drop_table("canary")
