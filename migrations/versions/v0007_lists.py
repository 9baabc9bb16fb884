"""Lists of tasks: indexes by which they are read in order, and what can be searched."""

import sqlalchemy as sa
from alembic import op

from migrations import search

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ENDS = ("completed", "failed", "timeout", "cancelled")
_LISTED = "source <> 'canary'"
#: Index -> what it is sorted by before (submitted_at, id), and which rows it holds.
_INDEXES = {
    "ix_task_submitted": (None, _LISTED),
    "ix_task_engine": ("engine", _LISTED),
    "ix_task_worker_name": ("worker_name", f"worker_name IS NOT NULL AND {_LISTED}"),
    "ix_task_fingerprint": ("fingerprint", f"fingerprint IS NOT NULL AND {_LISTED}"),
    "ix_task_live": (None, f"finished_at IS NULL AND {_LISTED}"),
    "ix_task_late": (None, f"timed_out_at IS NOT NULL AND {_LISTED}"),
    "ix_task_rescued": (None, f"rescued_at IS NOT NULL AND {_LISTED}"),
    **{f"ix_task_{status}": (None, f"status = '{status}' AND {_LISTED}") for status in _ENDS},
}


def upgrade() -> None:
    """Makes the indexes, the search tables and their triggers, and fills them."""
    dialect = op.get_bind().dialect.name
    for status in _ENDS:
        op.drop_index(f"ix_task_{status}", table_name="task")
    for name, (first, rows) in _INDEXES.items():
        columns = [*([first] if first else []), "submitted_at", "id"]
        _index(name, columns, rows)
    for table, key in search.FTS.values():
        op.create_table(
            table,
            sa.Column(
                key,
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                autoincrement=False,
                nullable=False,
            ),
            sa.Column("body", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
        )
    made = search.fts_tables() if dialect == "sqlite" else ()
    for statement in (*made, *search.backfill(dialect), *search.statements(dialect)):
        op.execute(sa.text(statement))


def _index(name: str, columns: list[str], rows: str) -> None:
    where = sa.text(rows)
    op.create_index(name, "task", columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Removes them, and puts back what was there before."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table in search.TABLES.items():
        op.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
        if not is_sqlite:
            op.execute(f"DROP FUNCTION voxtrace_{name.removeprefix('tr_')}()")
    for fts, (table, _) in search.FTS.items():
        if is_sqlite:
            op.drop_table(fts)
        op.drop_table(table)
    for name in _INDEXES:
        op.drop_index(name, table_name="task")
    for status in _ENDS:
        _index(f"ix_task_{status}", ["id"], f"status = '{status}'")
