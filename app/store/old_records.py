"""What is told of failures beside their rows, once it has had its time; each kind by its own index.

Groups of failures stay: the cube counts them for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, select, true

from app.store.tables import (
    analysis_table,
    finding_table,
    system_event_table,
    webhook_delivery_table,
)

Kind = Literal["findings", "system_events", "deliveries", "analyses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Rows of a kind, by the moment from which on they are kept.

    Attributes:
        begun: The moment that an index has, which is never after `over`.
        over: The moment from which on a row is kept.
        may_go: Whether it is over.
    """

    table: Table
    begun: ColumnElement[int]
    over: ColumnElement[int | None]
    may_go: ColumnElement[bool]


_F, _E, _D, _Q = (
    table.c for table in (finding_table, system_event_table, webhook_delivery_table, analysis_table)
)
_SOURCES: Final[dict[Kind, _Source]] = {
    "deliveries": _Source(
        table=webhook_delivery_table,
        begun=_D.created_at,
        over=_D.ended_at,
        # who was told that a finding opened has to be told that it closed
        may_go=and_(
            _D.state != "waiting",
            ~exists().where(_F.id == _D.finding_id, _F.state == "open"),
        ),
    ),
    "findings": _Source(
        table=finding_table, begun=_F.opened_at, over=_F.closed_at, may_go=_F.state == "closed"
    ),
    "system_events": _Source(table=system_event_table, begun=_E.at, over=_E.at, may_go=true()),
    "analyses": _Source(
        table=analysis_table,
        begun=_Q.asked_at,
        over=_Q.finished_at,
        may_go=_Q.state.in_(("done", "failed", "cancelled")),
    ),
}
#: In the order in which they are removed: what refers to others first.
KINDS: Final = tuple(_SOURCES)


def old(conn: Connection, kind: Kind, *, before: int, limit: int) -> list[int]:
    """Ids of rows that were over before a moment, the oldest first.

    Index ix_webhook_delivery_created, ix_finding_opened, ix_system_event_at or ix_analysis_asked:
    reads what it returns, and what began before that moment and is not over.
    """
    source = _SOURCES[kind]
    statement = (
        select(source.table.c.id)
        .where(source.begun < before, source.over < before, source.may_go)
        .order_by(source.begun)
        .limit(limit)
    )
    return list(conn.execute(statement).scalars())


def remove(conn: Connection, kind: Kind, ids: Sequence[int]) -> int:
    """Removes rows of a kind (primary key); returns how many there were."""
    table = _SOURCES[kind].table
    return conn.execute(delete(table).where(table.c.id.in_(ids))).rowcount


def remove_deliveries_of(conn: Connection, finding_ids: Sequence[int]) -> int:
    """Removes what the webhook was told of findings (index ix_webhook_delivery_finding)."""
    mine = delete(webhook_delivery_table).where(_D.finding_id.in_(finding_ids))
    return conn.execute(mine).rowcount
