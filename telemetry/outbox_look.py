"""Rows of the span outbox that are to be looked for in the backend: an acknowledgement is no proof.

When a row with a task span is sent it gets a moment (`look_at`) at which somebody shall see whether
the backend has its trace. A row that is sent again gets another one. No function commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, literal_column, select, update

from telemetry.outbox_table import OUTBOX, RANK_TASK, ROWS_PER_CALL, in_state

#: Microseconds after the acknowledgement at which a trace is looked for.
LOOK_AFTER_US: Final = 30_000_000

#: Bytes a second that a backend takes at least, and microseconds that it may need in all.
_BYTES_PER_S: Final = 100_000
_LONGEST_US: Final = 900_000_000

_O: Final = OUTBOX.c
_IS_TO_BE_SOUGHT: Final[ColumnElement[bool]] = literal_column("span_outbox.look_at IS NOT NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A row whose trace is to be looked for."""

    row_id: int
    task_id: int
    look_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """How many rows are to be looked for, and when the first of them was or is due."""

    count: int
    oldest_us: int | None


def due(conn: Connection, now_us: int, *, limit: int) -> list[Look]:
    """Rows that are due, the longest due first (`ix_span_outbox_look`)."""
    statement = (
        select(_O.id, _O.task_id, _O.look_at)
        .where(_IS_TO_BE_SOUGHT, _O.look_at <= now_us, _O.task_id.is_not(None))
        .order_by(_O.look_at, _O.id)
        .limit(limit)
    )
    return [
        Look(row_id=row.id, task_id=row.task_id, look_at_us=row.look_at)
        for row in conn.execute(statement)
    ]


def behind(conn: Connection, now_us: int) -> Behind:
    """What is due, in numbers (`ix_span_outbox_look`; its cost grows with what is due)."""
    statement = select(func.count(_O.id), func.min(_O.look_at)).where(
        _IS_TO_BE_SOUGHT, _O.look_at <= now_us
    )
    count, oldest_us = conn.execute(statement).one()
    return Behind(count=count, oldest_us=oldest_us)


def look_again(conn: Connection, row_ids: Sequence[int], at_us: int | None) -> None:
    """Sets when these rows are looked for next (primary key); None: they need not be any more."""
    conn.execute(update(OUTBOX).where(_O.id.in_(row_ids), in_state("sent")).values(look_at=at_us))


def look_now(
    conn: Connection,
    now_us: int,
    *,
    task_ids: Sequence[int] | None = None,
    limit: int = ROWS_PER_CALL,
) -> int:
    """Has task spans that left sought now; returns how many.

    Args:
        conn: A writing transaction.
        now_us: Now.
        task_ids: These tasks' (`ix_span_outbox_task`); None: all that are not to be sought any
            more (`ix_span_outbox_spare`).
        limit: Rows at most; call again until it returns 0.
    """
    chosen = select(_O.id).where(in_state("sent"), _O.rank == RANK_TASK)
    if task_ids is None:
        chosen = chosen.where(literal_column("span_outbox.look_at IS NULL"))
    else:
        chosen = chosen.where(_O.task_id.in_(task_ids))
    statement = update(OUTBOX).where(_O.id.in_(chosen.limit(limit)), in_state("sent"))
    return conn.execute(statement.values(look_at=now_us)).rowcount


def settled_before(conn: Connection, now_us: int) -> int:
    """What left before this moment must have arrived; what left later may be on its way.

    Half a minute, and longer where much has left: a collector holds it for as long as a backend
    takes (one that writes each span through to its disk took 1000 spans, 300 kB, a second). Reads
    the sizes of what left within `_LONGEST_US` (`ix_span_outbox_sent` covers it).
    """
    statement = select(func.sum(_O.size_bytes)).where(
        in_state("sent"), _O.sent_at > now_us - _LONGEST_US
    )
    left_bytes = int(conn.execute(statement).scalar_one() or 0)
    return now_us - LOOK_AFTER_US - min(_LONGEST_US, left_bytes * 1_000_000 // _BYTES_PER_S)


def young(conn: Connection, task_ids: Sequence[int], *, sent_after_us: int) -> set[int]:
    """Those of these tasks with spans that wait, or left after a moment (`ix_span_outbox_task`)."""
    statement = (
        select(_O.task_id)
        .distinct()
        .where(_O.task_id.in_(task_ids), in_state("new") | (_O.sent_at > sent_after_us))
    )
    return set(conn.scalars(statement))
