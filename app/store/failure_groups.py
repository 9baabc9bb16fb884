"""Rows of failure groups and of what happened to them: made with the first failure, then decided.

How often a group failed, where and when last, is counted elsewhere (`failure_counts.py`).
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.records import FailureEventRecord, FailureGroupRecord
from app.store.counted_attempts import GROUPED, GROUPED_TASKS
from app.store.rows import record, records
from app.store.tables import (
    attempt_table,
    failure_event_table,
    failure_group_table,
    task_table,
)

_G: Final = failure_group_table.c
_E: Final = failure_event_table.c
#: Built once: building a statement costs more than SQLite takes to run it.
_INSERTS: Final = {
    name: dialect.insert(failure_group_table).on_conflict_do_nothing().returning(_G.fingerprint)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_EVENT: Final = insert(failure_event_table)
_LAST_AT: Final = func.coalesce(
    select(func.max(attempt_table.c.finished_at))
    .where(GROUPED, attempt_table.c.fingerprint == _G.fingerprint)
    .scalar_subquery(),
    select(task_table.c.finished_at)
    .where(GROUPED_TASKS, task_table.c.fingerprint == _G.fingerprint)
    .order_by(task_table.c.submitted_at.desc())
    .limit(1)
    .scalar_subquery(),
)


def state_of(conn: Connection, fingerprint: str) -> str | None:
    """The state of a group (primary key); None: nothing has failed so yet."""
    statement = select(_G.state).where(_G.fingerprint == fingerprint)
    return conn.execute(statement).scalar_one_or_none()


def muted(conn: Connection) -> set[str]:
    """Fingerprints of groups that are muted (all groups are read: there are hundreds)."""
    return set(conn.execute(select(_G.fingerprint).where(_G.state == "muted")).scalars())


def insert_new(conn: Connection, values: Mapping[str, Any]) -> bool:
    """Makes a group; False where it is there (primary key), made by another at this moment too."""
    return conn.execute(_INSERTS[conn.dialect.name], values).first() is not None


def regress(conn: Connection, fingerprint: str, now: int, release: str) -> bool:
    """Opens a resolved group again (primary key); False where another failure just did."""
    statement = (
        update(failure_group_table)
        .where(_G.fingerprint == fingerprint, _G.state == "resolved")
        .values(state="open", regressed_at=now, regressed_release=release)
    )
    return conn.execute(statement).rowcount == 1


def get(conn: Connection, fingerprint: str, *, lock: bool = False) -> FailureGroupRecord | None:
    """A group (primary key); with `lock`, held until the transaction ends."""
    statement = select(failure_group_table).where(_G.fingerprint == fingerprint)
    if lock:
        statement = statement.with_for_update()
    return record(FailureGroupRecord, conn.execute(statement).first())


def newest(conn: Connection, limit: int) -> list[tuple[FailureGroupRecord, int | None]]:
    """Groups, those first seen last first, and when each was last seen; None: its rows are gone.

    Indexes ix_failure_group_first, ix_task_attempt_fingerprint; ix_task_fingerprint where no
    attempt failed so.
    """
    statement = (
        select(failure_group_table, _LAST_AT.label("last_at"))
        .order_by(_G.first_at.desc())
        .limit(limit)
    )
    rows = conn.execute(statement).all()
    return list(zip(records(FailureGroupRecord, rows), (row.last_at for row in rows), strict=True))


def last_at(conn: Connection, fingerprint: str) -> int | None:
    """When a group was last seen (as `newest`); None: its rows are gone."""
    statement = select(_LAST_AT).where(_G.fingerprint == fingerprint)
    return conn.execute(statement).scalar_one_or_none()


def change(conn: Connection, fingerprint: str, values: Mapping[str, Any]) -> None:
    """Writes down what people decided (primary key)."""
    conn.execute(update(failure_group_table).where(_G.fingerprint == fingerprint).values(**values))


def add_event(conn: Connection, values: Mapping[str, Any]) -> None:
    """Writes down what happened to a group."""
    conn.execute(_EVENT, values)


def broken_resolution(conn: Connection, fingerprint: str) -> FailureEventRecord | None:
    """The resolution after which a group was seen again last (index ix_failure_event_group)."""
    again = select(func.max(_E.id)).where(_E.fingerprint == fingerprint, _E.kind == "regressed")
    statement = (
        select(failure_event_table)
        .where(_E.fingerprint == fingerprint, _E.kind == "resolved")
        .where(_E.id < again.scalar_subquery())
        .order_by(_E.id.desc())
        .limit(1)
    )
    return record(FailureEventRecord, conn.execute(statement).first())


def events_of(conn: Connection, fingerprint: str, limit: int) -> list[FailureEventRecord]:
    """What happened to a group, the newest first (index ix_failure_event_group)."""
    statement = (
        select(failure_event_table)
        .where(_E.fingerprint == fingerprint)
        .order_by(_E.id.desc())
        .limit(limit)
    )
    return records(FailureEventRecord, conn.execute(statement))
