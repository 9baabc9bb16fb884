"""The ledger of retention: which tasks were removed, batch by batch, and what they added up to.

Triggers move the numbers of a removed task into the archive (`archived` 1 of the statistics) in the
same transaction. The ledger is the second witness: its sums over all batches are the archive's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Select, case, func, insert, literal, select

from app.domain.sums import NAMES, Sums
from app.store.tables import archive_table, task_table

_T = task_table.c
_A = archive_table.c
_RETRIES = _T.attempt - 1 - _T.capacity_count
#: What one ended task adds to each sum, as the triggers count it.
_OF_TASK = {
    "n": literal(1),
    "run_ms": _T.run_ms,
    "wait_ms": _T.wait_ms,
    "total_ms": _T.total_ms,
    "char_count": _T.char_count,
    "audio_ms": func.coalesce(_T.audio_duration_ms, 0),
    "retry_count": case((_RETRIES > 0, _RETRIES), else_=0),
    "lost_count": _T.lost_count,
    "capacity_count": _T.capacity_count,
    "capacity_ms": _T.capacity_us // 1000,
    "late_count": case((_T.timed_out_at.is_(None), 0), else_=1),
}

_SUMS = [func.sum(expression).label(name) for name, expression in _OF_TASK.items()]


def sums_of(conn: Connection, task_ids: Sequence[int]) -> dict[str, Sums]:
    """What these tasks, which have ended, add up to, by status (primary key)."""
    # not by RETURNING of the DELETE: SQLite 3.40 gets `timed_out_at IS NULL` wrong there
    statement = select(_T.status, *_SUMS).where(_T.id.in_(task_ids)).group_by(_T.status)
    return _by_status(conn, statement)


def note(
    conn: Connection, status: str, task_ids: Sequence[int], sums: Sums, *, at: int, by: str
) -> None:
    """Writes down one batch of removed tasks of a status, ids ascending (one INSERT)."""
    values: dict[str, Any] = {
        "at": at,
        "by": by,
        "status": status,
        "from_id": task_ids[0],
        "to_id": task_ids[-1],
        "sha256": digest(task_ids),
    }
    conn.execute(insert(archive_table).values(**values, **asdict(sums)))


def digest(task_ids: Sequence[int]) -> str:
    """The SHA-256 of ids, in their order, with a comma between them: what a ledger's row has."""
    return hashlib.sha256(",".join(map(str, task_ids)).encode()).hexdigest()


def last_at(conn: Connection) -> int | None:
    """When a batch was removed last (primary key, one row); None: nothing ever was."""
    newest = select(func.max(_A.id)).scalar_subquery()
    return conn.execute(select(_A.at).where(_A.id == newest)).scalar_one_or_none()


def by_status(conn: Connection) -> dict[str, Sums]:
    """What the ledger adds up to, by status; reads all of it: a row for each batch."""
    sums = (func.sum(_A[name]).label(name) for name in NAMES)
    return _by_status(conn, select(_A.status, *sums).group_by(_A.status))


def _by_status(conn: Connection, statement: Select[Any]) -> dict[str, Sums]:
    return {
        row["status"]: Sums(**{name: int(row[name]) for name in NAMES})
        for row in conn.execute(statement).mappings()
    }
