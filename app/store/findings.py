"""Finding rows: what the watch found, open while it lasts."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, or_, select, text, update

from app.domain.finding import FindingRecord
from app.store.rows import record, records
from app.store.tables import finding_table

_F = finding_table.c
#: A literal: SQLite takes a partial index only so.
_OPEN = text("state = 'open'")


def add(conn: Connection, values: Mapping[str, Any]) -> FindingRecord:
    """Opens a finding; its key must not be open already."""
    statement = insert(finding_table).values(**values).returning(finding_table)
    return records(FindingRecord, conn.execute(statement))[0]


def change(conn: Connection, finding_id: int, values: Mapping[str, Any]) -> FindingRecord | None:
    """Changes a finding that is open (primary key); the row after it, None where it is not."""
    statement = update(finding_table).where(_F.id == finding_id, _OPEN)
    return record(
        FindingRecord, conn.execute(statement.values(**values).returning(finding_table)).first()
    )


def open_ones(conn: Connection) -> list[FindingRecord]:
    """Those that last, the oldest first (index ux_finding_open)."""
    # any key, and the order of no index: SQLite would walk through all that ever were
    statement = select(finding_table).where(_OPEN, _F.key >= "").order_by(_F.id + 0)
    return records(FindingRecord, conn.execute(statement))


def count_open(conn: Connection) -> int:
    """How many last (index ux_finding_open)."""
    return conn.execute(select(func.count()).select_from(finding_table).where(_OPEN)).scalar_one()


def get(conn: Connection, finding_id: int) -> FindingRecord | None:
    """One finding (primary key)."""
    statement = select(finding_table).where(_F.id == finding_id)
    return record(FindingRecord, conn.execute(statement).first())


def page(
    conn: Connection,
    *,
    state: Literal["open", "closed"] | None,
    start: int | None,
    end: int | None,
    before_id: int | None,
    limit: int,
) -> list[FindingRecord]:
    """Findings that lasted within [start, end), the newest first (primary key, backwards)."""
    statement = select(finding_table).order_by(_F.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(_F.state == state)
    if start is not None:
        statement = statement.where(or_(_F.closed_at.is_(None), _F.closed_at >= start))
    if end is not None:
        statement = statement.where(_F.opened_at < end)
    if before_id is not None:
        statement = statement.where(_F.id < before_id)
    return records(FindingRecord, conn.execute(statement))
