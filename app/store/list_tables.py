"""What lists of tasks are read by: indexes in the order of each list, and what can be searched.

Every index is partial: its condition stands in the SQL of a list as a literal, for a bound value
lets no planner see that the index serves. `text_search` and `error_search` are written by database
triggers only (`migrations/search.py`), and their indexes are no part of the metadata: FTS5 tables
on SQLite, and on PostgreSQL what `app/store/search_index.py` makes where it may.
"""

from typing import Final

from sqlalchemy import Column, Index, Table, Text, text

from app.store.metadata import BigKey, metadata
from app.store.work_tables import task_table

_T = task_table.c
_LISTED: Final = "source <> 'canary'"
#: Statuses whose tasks are listed by an index of their own.
ENDS: Final = ("completed", "failed", "timeout", "cancelled")


def _by(name: str, rows: str, *first: Column[str]) -> Index:
    where = text(rows)
    columns = (*first, _T.submitted_at, _T.id)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


_by("ix_task_submitted", _LISTED)
_by("ix_task_engine", _LISTED, _T.engine)
_by("ix_task_worker_name", f"worker_name IS NOT NULL AND {_LISTED}", _T.worker_name)
_by("ix_task_fingerprint", f"fingerprint IS NOT NULL AND {_LISTED}", _T.fingerprint)
_by("ix_task_live", f"finished_at IS NULL AND {_LISTED}")
_by("ix_task_late", f"timed_out_at IS NOT NULL AND {_LISTED}")
_by("ix_task_rescued", f"rescued_at IS NOT NULL AND {_LISTED}")
for _status in ENDS:
    _by(f"ix_task_{_status}", f"status = '{_status}' AND {_LISTED}")

text_search_table = Table(
    "text_search",
    metadata,
    Column("text_id", BigKey, primary_key=True, autoincrement=False),
    # title, a newline, the first characters of the content
    Column("body", Text, nullable=False),
)

error_search_table = Table(
    "error_search",
    metadata,
    Column("task_id", BigKey, primary_key=True, autoincrement=False),
    # error type, a newline, error message
    Column("body", Text, nullable=False),
)
