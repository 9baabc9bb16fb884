"""Indexes of retention: old keys, deleted texts, and the audio of a task."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_HAS_KEY = sa.text("idempotency_key IS NOT NULL")
_DELETED = sa.text("deleted_at IS NOT NULL AND source <> 'canary'")


def upgrade() -> None:
    """Makes the indexes; without the one of `audio` a DELETE of a task would read all audio."""
    op.create_index(
        "ix_submission_key",
        "submission",
        ["created_at"],
        unique=False,
        sqlite_where=_HAS_KEY,
        postgresql_where=_HAS_KEY,
    )
    op.create_index(
        "ix_text_deleted",
        "text",
        ["deleted_at", "id"],
        unique=False,
        sqlite_where=_DELETED,
        postgresql_where=_DELETED,
    )
    op.create_index("ix_audio_task", "audio", ["task_id"], unique=False)


def downgrade() -> None:
    """Removes them."""
    op.drop_index("ix_audio_task", table_name="audio")
    op.drop_index(
        "ix_text_deleted", table_name="text", sqlite_where=_DELETED, postgresql_where=_DELETED
    )
    op.drop_index(
        "ix_submission_key",
        table_name="submission",
        sqlite_where=_HAS_KEY,
        postgresql_where=_HAS_KEY,
    )
