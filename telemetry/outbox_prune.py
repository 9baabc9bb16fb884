"""Retention of the span outbox: a window of time and of bytes; what was never sent goes last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from telemetry.outbox_table import LOSS, OUTBOX, RANK_TASK, ROWS_PER_CALL, in_state

#: Going above `max_bytes` frees this much more than needed, so that not every call has work.
_SLACK_RATIO: Final = 0.02

_O: Final = OUTBOX.c
#: Rows of id, size_bytes, rank, n_spans.
_Rows: TypeAlias = Sequence[Row[*tuple[Any, ...]]]
#: What goes first when the outbox is too big: state, and a condition within it.
_DROP_ORDER: Final[tuple[tuple[str, tuple[ColumnElement[bool], ...]], ...]] = (
    ("sent", (_O.look_at.is_(None),)),
    ("sent", (_O.look_at.is_not(None),)),
    ("poison", ()),
    ("new", (_O.rank != RANK_TASK,)),
    ("new", (_O.rank == RANK_TASK,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What one call removed; `is_done` is False where there is more to remove."""

    sent: int
    poison: int
    unsent_expired: int
    unsent_lost: int
    freed_bytes: int
    is_done: bool


def prune(
    conn: Connection,
    *,
    keep_us: int,
    max_bytes: int,
    now_us: int,
    keep_unsent_us: int | None = None,
    limit: int = ROWS_PER_CALL,
) -> Pruned:
    """Removes what is beyond the window; unsent rows only above `max_bytes`, and counted.

    Args:
        conn: A writing transaction.
        keep_us: How long sent rows (since sent) and quarantined ones (since made) are kept.
        max_bytes: Bytes of payload held at most. Above them go, oldest first: sent rows that need
            not be looked for any more (`ix_span_outbox_spare`), the other sent ones, quarantined
            ones, unsent details and requests, and last unsent task spans (those can be made again
            from their task rows).
        now_us: Now.
        keep_unsent_us: How long unsent rows are kept where no collector is set; None: for ever.
        limit: Rows removed by this call at most; call again while `is_done` is False.
    """
    broom = _Broom(conn, limit)
    edge_us = now_us - keep_us
    sent = len(broom.sweep("sent", _O.sent_at < edge_us))
    poison = len(broom.sweep("poison", _O.created_at < edge_us))
    expired = 0
    if keep_unsent_us is not None:
        expired = len(broom.sweep("new", _O.created_at < now_us - keep_unsent_us))
    counts = {"sent": sent, "poison": poison, "new": 0}
    lost: list[Row[*tuple[Any, ...]]] = []
    excess = _excess_bytes(conn, max_bytes) if broom.rows_left else 0
    for state, conditions in _DROP_ORDER:
        rows = broom.sweep(state, *conditions, excess=excess)
        excess -= sum(row.size_bytes for row in rows)
        counts[state] += len(rows)
        lost += rows if state == "new" else []
    _count_losses(conn, lost, now_us)
    return Pruned(
        sent=counts["sent"],
        poison=counts["poison"],
        unsent_expired=expired,
        unsent_lost=counts["new"],
        freed_bytes=broom.freed_bytes,
        is_done=broom.rows_left > 0,
    )


class _Broom:
    """Deletes the oldest rows of a state, `rows_left` in all."""

    def __init__(self, conn: Connection, limit: int) -> None:
        self._conn = conn
        self.rows_left = limit
        self.freed_bytes = 0

    def sweep(
        self, state: str, *conditions: ColumnElement[bool], excess: int | None = None
    ) -> _Rows:
        """Deletes rows until `excess` bytes are free (None: all of them); returns them."""
        if not self.rows_left or (excess is not None and excess <= 0):
            return []
        rows = self._oldest(state, conditions)
        rows = rows if excess is None else _up_to(rows, excess)
        if rows:
            self._conn.execute(delete(OUTBOX).where(_O.id.in_([row.id for row in rows])))
        self.rows_left -= len(rows)
        self.freed_bytes += sum(row.size_bytes for row in rows)
        return rows

    def _oldest(self, state: str, conditions: Sequence[ColumnElement[bool]]) -> _Rows:
        order = (_O.sent_at, _O.id) if state == "sent" else (_O.id,)
        statement = select(_O.id, _O.size_bytes, _O.rank, _O.n_spans).where(in_state(state))
        statement = statement.where(*conditions).order_by(*order).limit(self.rows_left)
        return self._conn.execute(statement).all()


def _up_to(rows: _Rows, excess: int) -> _Rows:
    """The first rows that together hold `excess` bytes (all, where they hold less)."""
    freed = 0
    for count, row in enumerate(rows, start=1):
        freed += row.size_bytes
        if freed >= excess:
            return rows[:count]
    return rows


def _excess_bytes(conn: Connection, max_bytes: int) -> int:
    """Bytes to free, slack included; 0 where the outbox is small enough (covering indexes)."""
    sums = [
        select(func.coalesce(func.sum(_O.size_bytes), 0)).where(in_state(state)).scalar_subquery()
        for state in ("new", "sent", "poison")
    ]
    total = sum(int(value) for value in conn.execute(select(*sums)).one())
    return total - max_bytes + int(max_bytes * _SLACK_RATIO) if total > max_bytes else 0


def _count_losses(conn: Connection, rows: _Rows, now_us: int) -> None:
    for rank in {row.rank for row in rows}:
        spans = [row.n_spans for row in rows if row.rank == rank]
        _add_loss(conn, rank, row_count=len(spans), span_count=sum(spans), now_us=now_us)


def _add_loss(conn: Connection, rank: int, *, row_count: int, span_count: int, now_us: int) -> None:
    """Adds to what was lost of a rank (primary key)."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    values = {"rank": rank, "row_count": row_count, "span_count": span_count, "last_at": now_us}
    conn.execute(
        dialect.insert(LOSS)
        .values(values)
        .on_conflict_do_update(
            index_elements=["rank"],
            set_={
                "row_count": LOSS.c.row_count + row_count,
                "span_count": LOSS.c.span_count + span_count,
                "last_at": now_us,
            },
        )
    )
