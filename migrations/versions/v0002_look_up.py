"""What a look into Jaeger found, and when the next look is due."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ENDED = sa.text("finished_at IS NOT NULL")
_LOOK = sa.text("look_at IS NOT NULL")
_SPARE = sa.text("state = 'sent' AND look_at IS NULL")


def upgrade() -> None:
    """Adds columns to `task` and `span_outbox`, without making either table anew."""
    op.add_column("task", sa.Column("trace_seen_at", sa.BigInteger(), nullable=True))
    op.add_column("task", sa.Column("trace_missing_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "task",
        sa.Column("trace_resends", sa.SmallInteger(), server_default="0", nullable=False),
    )
    op.create_index(
        "ix_task_finished",
        "task",
        ["finished_at", "id"],
        unique=False,
        sqlite_where=_ENDED,
        postgresql_where=_ENDED,
    )
    op.add_column("span_outbox", sa.Column("look_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_span_outbox_look",
        "span_outbox",
        ["look_at", "id"],
        unique=False,
        sqlite_where=_LOOK,
        postgresql_where=_LOOK,
    )
    op.create_index(
        "ix_span_outbox_spare",
        "span_outbox",
        ["sent_at", "id", "size_bytes"],
        unique=False,
        sqlite_where=_SPARE,
        postgresql_where=_SPARE,
    )


def downgrade() -> None:
    """Removes them."""
    op.drop_index(
        "ix_span_outbox_spare",
        table_name="span_outbox",
        sqlite_where=_SPARE,
        postgresql_where=_SPARE,
    )
    op.drop_index(
        "ix_span_outbox_look",
        table_name="span_outbox",
        sqlite_where=_LOOK,
        postgresql_where=_LOOK,
    )
    op.drop_column("span_outbox", "look_at")
    op.drop_index(
        "ix_task_finished", table_name="task", sqlite_where=_ENDED, postgresql_where=_ENDED
    )
    for name in ("trace_resends", "trace_missing_at", "trace_seen_at"):
        op.drop_column("task", name)
