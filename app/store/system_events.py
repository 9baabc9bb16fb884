"""System events: what changed in the system as a whole, and when: workers, releases, limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from app.store.rows import record, records
from app.store.tables import system_event_table

_E = system_event_table.c
#: Kinds that tell of a worker's start.
STARTS = ("start", "restart", "release")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEvent:
    """A change of the system.

    Attributes:
        kind: `start` (a worker's first), `restart`, `release` (a restart with another release than
            before), `stop`, `limit`.
        before: Of a release: the one before; of a limit: its value before, None where it had none.
        name: Of a limit: `max_concurrent`, or `engine:` and the engine.
        value: Of a limit: its value, None where it was removed; of a stop: `stopped` or `dead`.
        by: Who did it.
    """

    id: int
    at: int
    kind: str
    worker: str | None
    host: str | None
    release: str | None
    before: str | None
    name: str | None
    value: str | None
    by: str


def add(conn: Connection, values: Mapping[str, Any]) -> None:
    """Writes an event."""
    conn.execute(insert(system_event_table).values(**values))


def last_start(conn: Connection, worker: str) -> SystemEvent | None:
    """The last start of a worker of this name (ix_system_event_worker)."""
    statement = (
        select(system_event_table)
        .where(_E.worker == worker, _E.kind.in_(STARTS))
        .order_by(_E.id.desc())
        .limit(1)
    )
    return record(SystemEvent, conn.execute(statement).first())


def between(
    conn: Connection,
    start: int,
    end: int,
    *,
    kinds: Sequence[str] = (),
    workers: Sequence[str] = (),
    limit: int = 1000,
) -> list[SystemEvent]:
    """Events from `start`, before `end`, oldest first, at most so many (ix_system_event_at).

    Args:
        conn: Where to read.
        start: First moment of the window.
        end: The moment at which it is over.
        kinds: Only these kinds; empty: all.
        workers: Only what happened to these workers; empty: everything.
        limit: The last ones, where there are more.
    """
    statement = select(system_event_table).where(_E.at >= start, _E.at < end)
    if kinds:
        statement = statement.where(_E.kind.in_(kinds))
    if workers:
        statement = statement.where(_E.worker.in_(workers))
    statement = statement.order_by(_E.at.desc(), _E.id.desc()).limit(limit)
    return records(SystemEvent, conn.execute(statement))[::-1]
