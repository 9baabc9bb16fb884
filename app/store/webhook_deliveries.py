"""Webhook rows: what is to be told of findings, until it is taken or given up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, text, update

from app.domain.finding import DeliveryRecord
from app.store.rows import record, records
from app.store.tables import webhook_delivery_table

_D = webhook_delivery_table.c
#: A literal: SQLite takes a partial index only so.
_WAITING = text("webhook_delivery.state = 'waiting'")
_EARLIER = webhook_delivery_table.alias("earlier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits: how many, and since when the oldest does."""

    n: int
    oldest_at: int | None


def add(conn: Connection, values: Mapping[str, Any]) -> None:
    """Has something told."""
    conn.execute(insert(webhook_delivery_table).values(**values))


def next_due(conn: Connection, now: int) -> DeliveryRecord | None:
    """What is due first, where nothing earlier of its finding waits (ix_webhook_delivery_waiting).

    What waits of the finding is looked for by ix_webhook_delivery_finding.
    """
    waits_before = exists().where(
        _EARLIER.c.finding_id == _D.finding_id,
        _EARLIER.c.id < _D.id,
        _EARLIER.c.state == "waiting",
    )
    statement = (
        select(webhook_delivery_table)
        .where(_WAITING, _D.next_at <= now, ~waits_before)
        .order_by(_D.next_at, _D.id)
        .limit(1)
    )
    return record(DeliveryRecord, conn.execute(statement).first())


def change(conn: Connection, delivery_id: int, values: Mapping[str, Any]) -> bool:
    """Notes how a try went (primary key); False where it does not wait any more."""
    statement = update(webhook_delivery_table).where(_D.id == delivery_id, _WAITING)
    return conn.execute(statement.values(**values)).rowcount > 0


def waiting(conn: Connection) -> Waiting:
    """What waits (index ix_webhook_delivery_waiting)."""
    statement = select(func.count(), func.min(_D.created_at)).where(_WAITING)
    n, oldest_at = conn.execute(statement).one()
    return Waiting(n=n, oldest_at=oldest_at)


def oldest_waiting(conn: Connection) -> DeliveryRecord | None:
    """What was to be told first of all that waits (index ix_webhook_delivery_waiting)."""
    statement = (
        select(webhook_delivery_table)
        .where(_WAITING, _D.next_at > 0)
        .order_by(_D.created_at + 0, _D.id)  # in the order of no index: it would walk through all
        .limit(1)
    )
    return record(DeliveryRecord, conn.execute(statement).first())


def last_ended(conn: Connection) -> DeliveryRecord | None:
    """The newest that was delivered or given up (primary key, backwards)."""
    statement = (
        select(webhook_delivery_table).where(_D.state != "waiting").order_by(_D.id.desc()).limit(1)
    )
    return record(DeliveryRecord, conn.execute(statement).first())


def of_finding(conn: Connection, finding_id: int) -> list[DeliveryRecord]:
    """What was and is to be told of a finding (index ix_webhook_delivery_finding)."""
    statement = select(webhook_delivery_table).where(_D.finding_id == finding_id).order_by(_D.id)
    return records(DeliveryRecord, conn.execute(statement))
