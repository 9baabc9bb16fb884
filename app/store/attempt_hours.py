"""The cube over attempts hour by hour (or day by day), and how much of it has no rows any more."""

from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection, text

from app.domain.window import HOUR_US, Span
from app.store.packed import DIALECTS, Integers, joined, numbers

_INSIDE: Final = "FROM stat_attempt WHERE grain = :grain AND start >= :start AND start < :end"
_REMOVED: Final = "coalesce(sum(CASE WHEN archived = 1 THEN n ELSE 0 END), 0)"
_COLUMNS: Final = ("profile_id", "n", f"start / {HOUR_US}")
_CELLS: Final = {
    dialect: text(
        f"SELECT {', '.join(joined(dialect, column) for column in _COLUMNS)}, {_REMOVED} {_INSIDE}"
    )
    for dialect in DIALECTS
}
_REMOVED_IN: Final = text(f"SELECT {_REMOVED} {_INSIDE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCounts:
    """Attempts by profile and by the hour (of days: the first one) in which they ended.

    Attributes:
        ids: Of profiles; with an hour, each may come twice.
        n: Attempts.
        hours: Hours since the epoch; 0 where they do not matter, of the day where only those do.
        removed: How many of them retention has removed: they have no rows.
    """

    ids: Integers
    n: Integers
    hours: Integers
    removed: int = 0


def of_span(conn: Connection, span: Span) -> HourCounts:
    """Attempts that ended in some hours or days, removed ones too (primary key, all its cells)."""
    row = conn.execute(_CELLS[conn.dialect.name], asdict(span)).one()
    ids, n, hours = map(numbers, row[:3])
    return HourCounts(ids=ids, n=n, hours=hours, removed=int(row[3]))


def removed_in(conn: Connection, span: Span) -> int:
    """How many attempts of some hours or days have no rows any more (primary key, its cells)."""
    return int(conn.execute(_REMOVED_IN, asdict(span)).scalar_one())
