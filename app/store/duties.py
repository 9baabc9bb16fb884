"""Duty rows: who leads, and how each duty went last."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.records import DutyRecord
from app.store.rows import record, records
from app.store.tables import duty_table

_U = duty_table.c


def get(conn: Connection, name: str) -> DutyRecord | None:
    """A duty by its name."""
    return record(DutyRecord, conn.execute(select(duty_table).where(_U.name == name)).first())


def every(conn: Connection) -> list[DutyRecord]:
    """Every duty that was ever done, by name."""
    return records(DutyRecord, conn.execute(select(duty_table).order_by(_U.name)))


def take_lease(conn: Connection, name: str, holder: str, *, now: int, lease_us: int) -> bool:
    """Takes or renews the lease of a duty; False where another holder's still runs."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    values = {"holder": holder, "lease_until": now + lease_us, "ticked_at": now}
    statement = (
        dialect.insert(duty_table)
        .values(name=name, **values)
        .on_conflict_do_update(
            index_elements=["name"],
            set_=values,
            where=(_U.holder == holder) | (_U.lease_until <= now),
        )
        .returning(_U.name)
    )
    return conn.execute(statement).first() is not None


def release(conn: Connection, name: str, holder: str, now: int) -> None:
    """Gives a lease up, so that another process may take it at once."""
    conn.execute(
        update(duty_table)
        .where(_U.name == name, _U.holder == holder)
        .values(lease_until=now, ticked_at=now)
    )


def note(conn: Connection, name: str, values: Mapping[str, Any]) -> None:
    """Writes how a duty went (inserting its row where it is new)."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    first = {"holder": "", "lease_until": 0, "ticked_at": 0} | dict(values)
    statement = dialect.insert(duty_table).values(name=name, **first)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=dict(values)))
