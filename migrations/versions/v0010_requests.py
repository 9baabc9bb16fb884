"""Requests: a row says what it counts by, and counters can be compared with rows."""

import sqlalchemy as sa
from alembic import op

from migrations import requests, statistics

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COUNTED = sa.text("source <> 'canary'")
#: The request's columns in `submission`, and what they are of a row that is there.
_FILL = """
UPDATE submission SET engine = t.engine, char_count = x.char_count,
  audio_ms = CASE WHEN disposition = 'skipped' THEN coalesce(t.audio_duration_ms, 0) ELSE 0 END
FROM task t, text x WHERE t.id = submission.task_id AND x.id = submission.text_id
"""
#: What counters said beyond the rows is of rows that were removed.
_ARCHIVE = """
INSERT INTO stat_submission
  (grain, start, archived, disposition, engine, shard, n, char_count, audio_ms)
SELECT o.grain, o.start, 1, o.disposition, o.engine, 0, o.n - coalesce(r.n, 0),
  CASE WHEN o.char_count > coalesce(r.char_count, 0)
    THEN o.char_count - coalesce(r.char_count, 0) ELSE 0 END,
  CASE WHEN o.audio_ms > coalesce(r.audio_ms, 0)
    THEN o.audio_ms - coalesce(r.audio_ms, 0) ELSE 0 END
FROM (
  SELECT grain, start, disposition, engine, CAST(sum(n) AS BIGINT) AS n,
    CAST(sum(char_count) AS BIGINT) AS char_count, CAST(sum(audio_ms) AS BIGINT) AS audio_ms
  FROM stat_submission_old GROUP BY grain, start, disposition, engine) o
LEFT JOIN stat_submission r ON r.grain = o.grain AND r.start = o.start AND r.archived = 0
  AND r.disposition = o.disposition AND r.engine = o.engine AND r.shard = 0
WHERE o.n > coalesce(r.n, 0)
"""
#: The way back: removed ones are told apart no more.
_MERGE = """
INSERT INTO stat_submission (grain, start, disposition, engine, shard, n, char_count, audio_ms)
SELECT grain, start, disposition, engine, 0, CAST(sum(n) AS BIGINT),
  CAST(sum(char_count) AS BIGINT), CAST(sum(audio_ms) AS BIGINT)
FROM stat_submission_old GROUP BY grain, start, disposition, engine
"""


def upgrade() -> None:
    """Fills the new columns, counts the rows anew, and calls archived what is beyond them."""
    dialect = op.get_bind().dialect.name
    _drop_triggers(("tr_submission_insert",), dialect)
    for column in _columns():
        op.add_column("submission", column)
    op.execute(_FILL)
    _put_aside(dialect)
    _make_table(("grain", "start", "archived", "disposition", "engine", "shard"))
    op.execute(sa.text(requests.BACKFILL))
    op.execute(_ARCHIVE)
    op.drop_table("stat_submission_old")
    op.create_index(
        "ix_submission_created",
        "submission",
        ["created_at"],
        unique=False,
        sqlite_where=_COUNTED,
        postgresql_where=_COUNTED,
    )
    for statement in requests.statements(dialect):
        op.execute(sa.text(statement))


def _columns() -> tuple[sa.Column[object], ...]:
    nothing = sa.text("0")
    return (
        sa.Column("engine", sa.String(length=40), server_default="", nullable=False),
        sa.Column("char_count", sa.Integer(), server_default=nothing, nullable=False),
        sa.Column("audio_ms", sa.BigInteger(), server_default=nothing, nullable=False),
    )


def _drop_triggers(names: tuple[str, ...], dialect: str) -> None:
    for name in names:
        op.execute(f"DROP TRIGGER {name}" + ("" if dialect == "sqlite" else " ON submission"))
        if dialect != "sqlite":
            op.execute(f"DROP FUNCTION voxtrace_{name.removeprefix('tr_')}()")


def _put_aside(dialect: str) -> None:
    op.rename_table("stat_submission", "stat_submission_old")
    if dialect != "sqlite":
        op.execute("ALTER INDEX pk_stat_submission RENAME TO pk_stat_submission_old")


def _make_table(key: tuple[str, ...]) -> None:
    kinds = {
        "grain": sa.String(length=4),
        "start": sa.BigInteger(),
        "archived": sa.SmallInteger(),
        "disposition": sa.String(length=10),
        "engine": sa.String(length=40),
        "shard": sa.SmallInteger(),
    }
    op.create_table(
        "stat_submission",
        *(sa.Column(name, kinds[name], autoincrement=False, nullable=False) for name in key),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in requests.SUMS),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_stat_submission")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Counts all requests together, and by their tasks and texts, as before."""
    dialect = op.get_bind().dialect.name
    _drop_triggers(tuple(requests.TABLES), dialect)
    _put_aside(dialect)
    _make_table(("grain", "start", "disposition", "engine", "shard"))
    op.execute(_MERGE)
    op.drop_table("stat_submission_old")
    op.drop_index(
        "ix_submission_created",
        table_name="submission",
        sqlite_where=_COUNTED,
        postgresql_where=_COUNTED,
    )
    for column in _columns():
        op.drop_column("submission", column.name)
    for statement in statistics.statements(dialect):
        if "submission_insert" in statement.partition("\n")[0]:
            op.execute(sa.text(statement))
