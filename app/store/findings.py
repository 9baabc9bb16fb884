"""Finding rows: what the watch found, open while it lasts."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.finding import FindingRecord
from app.store.rows import record, records
from app.store.tables import finding_table

_F = finding_table.c
#: A literal: SQLite takes a partial index only so.
_OPEN = text("state = 'open'")
#: Of two leaders that see the same at once, one opens it.
_INSERTS = {
    name: dialect.insert(finding_table).on_conflict_do_nothing(
        index_elements=[_F.key], index_where=_OPEN
    )
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


def add(conn: Connection, values: Mapping[str, Any]) -> FindingRecord | None:
    """Opens a finding; None where its key is open already (index ux_finding_open)."""
    statement = _INSERTS[conn.dialect.name].values(**values).returning(finding_table)
    return record(FindingRecord, conn.execute(statement).first())


def change(conn: Connection, finding_id: int, values: Mapping[str, Any]) -> FindingRecord | None:
    """Changes a finding that is open (primary key); the row after it, None where it is not."""
    statement = update(finding_table).where(_F.id == finding_id, _OPEN)
    return record(
        FindingRecord, conn.execute(statement.values(**values).returning(finding_table)).first()
    )


def lock(conn: Connection) -> None:
    """Lets nobody else change findings until the transaction ends; SQLite has one writer anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("LOCK TABLE finding IN SHARE ROW EXCLUSIVE MODE"))


def open_ones(conn: Connection) -> list[FindingRecord]:
    """Those that last, the oldest first (index ux_finding_open)."""
    # any key, and the order of no index: SQLite would walk through all that ever were
    statement = select(finding_table).where(_OPEN, _F.key >= "").order_by(_F.id + 0)
    return records(FindingRecord, conn.execute(statement))


def closed_since(conn: Connection, at: int) -> list[FindingRecord]:
    """Those that were closed from a moment on (index ix_finding_closed)."""
    statement = select(finding_table).where(_F.closed_at >= at).order_by(_F.closed_at)
    return records(FindingRecord, conn.execute(statement))


def count_open(conn: Connection) -> Mapping[bool, int]:
    """How many last, of which nobody is told (True) and others (index ux_finding_open)."""
    # any key, as `open_ones`
    statement = select(_F.is_muted, func.count()).where(_OPEN, _F.key >= "").group_by(_F.is_muted)
    return {bool(is_muted): int(n) for is_muted, n in conn.execute(statement)}


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
