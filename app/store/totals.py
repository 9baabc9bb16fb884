"""Totals kept by triggers: read in the snapshot of the caller, at a cost that does not grow."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from app.domain.sums import NAMES, Sums
from app.store.tables import stat_text_table, stat_total_table

_T = stat_total_table.c
_TOTALS = select(
    _T.status, _T.archived, *(func.sum(_T[name]).label(name) for name in NAMES)
).group_by(_T.status, _T.archived)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """All tasks of a status; `is_archived`: those that retention removed."""

    status: str
    is_archived: bool
    sums: Sums


def of_tasks(conn: Connection) -> list[Total]:
    """Tasks of all time, canaries left out (at most 64 shards x 10 rows are read)."""
    return [
        Total(
            status=status,
            is_archived=bool(archived),
            sums=Sums(**{name: int(value) for name, value in zip(NAMES, values, strict=True)}),
        )
        for status, archived, *values in conn.execute(_TOTALS)
    ]


def by_status(counted: Iterable[Total]) -> dict[str, Sums]:
    """Totals by status, the archive included."""
    found: dict[str, Sums] = {}
    for one in counted:
        found[one.status] = found.get(one.status, Sums()) + one.sums
    return found


def texts_by_state(conn: Connection) -> dict[str, int]:
    """Totals of live texts by state (at most 64 shards x 6 rows are read)."""
    t = stat_text_table.c
    statement = select(t.state, func.sum(t.n)).group_by(t.state)
    return {state: int(n) for state, n in conn.execute(statement)}
