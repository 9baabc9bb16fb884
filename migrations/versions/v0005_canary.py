"""Canaries: tasks of our own that go the whole way, to see whether it is open."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CANARY = sa.text("source = 'canary'")


def upgrade() -> None:
    """Makes `canary`, and the indexes by which old canaries and old workers are found."""
    op.create_index("ix_worker_started", "worker", ["started_at"], unique=False)
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
        sa.Column("cause", sa.String(length=20), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("queue_us", sa.BigInteger(), nullable=True),
        sa.Column("run_us", sa.BigInteger(), nullable=True),
        sa.Column("trace_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "stage IN ('submit', 'queue', 'run', 'audio', 'trace', 'done')",
            name=op.f("ck_canary_stage"),
        ),
        sa.CheckConstraint(
            "is_ok IS NULL OR finished_at IS NOT NULL", name=op.f("ck_canary_finished")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_task_canary",
        "task",
        ["id"],
        unique=False,
        sqlite_where=_CANARY,
        postgresql_where=_CANARY,
    )


def downgrade() -> None:
    """Removes them."""
    op.drop_index(
        "ix_task_canary", table_name="task", sqlite_where=_CANARY, postgresql_where=_CANARY
    )
    op.drop_table("canary")
    op.drop_index("ix_worker_started", table_name="worker")
