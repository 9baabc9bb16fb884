"""The span outbox: encoded spans that wait in a table until a collector has them.

A row is the bytes of one OTLP ExportTraceServiceRequest; rows laid end to end are one request again
(repeated fields append), so the forwarder never parses what it sends. A row is `new` until it was
acknowledged, then `sent` for the window in which it can be sent again (an acknowledgement is no
proof), or `poison` where the collector refused it for itself. No function commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    case,
    func,
    insert,
    null,
    select,
    true,
    update,
)

from telemetry.outbox_look import (
    LOOK_AFTER_US,
    Behind,
    Look,
    behind,
    due,
    look_again,
    look_now,
    settled_before,
    young,
)
from telemetry.outbox_prune import Pruned, prune
from telemetry.outbox_resend import (
    Renewed,
    newest_sent,
    release_poison,
    resend,
    resend_requests,
    resend_tasks,
    with_task_span,
)
from telemetry.outbox_table import (
    LOSS,
    OUTBOX,
    RANK_DETAIL,
    RANK_REQUEST,
    RANK_TASK,
    define,
    in_state,
)

__all__ = [
    "LOOK_AFTER_US",
    "RANK_DETAIL",
    "RANK_REQUEST",
    "RANK_TASK",
    "Behind",
    "Look",
    "OutboxRow",
    "OutboxState",
    "Pruned",
    "Renewed",
    "add",
    "behind",
    "count_attempt",
    "define",
    "due",
    "look_again",
    "look_now",
    "mark_poison",
    "mark_sent",
    "measure",
    "newest_sent",
    "next_batch",
    "of_trace",
    "prune",
    "release_poison",
    "resend",
    "resend_requests",
    "resend_tasks",
    "settled_before",
    "spans_of_task",
    "with_task_span",
    "young",
]

#: Characters of a collector's answer that are kept on a row.
ERROR_LENGTH: Final = 500

_O: Final = OUTBOX.c
#: `inline`: nobody asks for the new id.
_INSERT: Final = insert(OUTBOX).inline()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A row that waits to be sent."""

    id: int
    n_spans: int
    size_bytes: int
    created_at_us: int
    attempts: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """What lies in the outbox now; the `lost_…` fields count since the database was made.

    `poison_error` is what the collector answered to the row that was quarantined last.
    """

    pending: int
    pending_bytes: int
    oldest_pending_us: int | None
    sent: int
    sent_bytes: int
    poison: int
    poison_bytes: int
    lost_rows: int
    lost_task_rows: int
    lost_spans: int
    last_lost_us: int | None
    poison_error: str | None = None


def add(
    conn: Connection,
    *,
    payload: bytes,
    n_spans: int,
    rank: int,
    created_at_us: int,
    task_id: int | None = None,
    trace_id: str | None = None,
) -> None:
    """Puts encoded spans into the outbox, in the transaction of what they tell (one INSERT)."""
    conn.execute(
        _INSERT,
        {
            "task_id": task_id,
            "trace_id": trace_id,
            "created_at": created_at_us,
            "n_spans": n_spans,
            "size_bytes": len(payload),
            "rank": rank,
            "payload": payload,
        },
    )


def next_batch(
    conn: Connection, *, max_bytes: int, max_rows: int, after_id: int = 0
) -> list[OutboxRow]:
    """The oldest unsent rows above `after_id`, as many as fit (one at least, whatever its size).

    Index `ix_span_outbox_new`: reads `max_rows` entries of it, and the payloads that it returns.
    """
    oldest = (
        select(_O.id, _O.size_bytes)
        .where(in_state("new"), _O.id > after_id)
        .order_by(_O.id)
        .limit(max_rows)
        .subquery("oldest")
    )
    up_to = func.sum(oldest.c.size_bytes).over(order_by=oldest.c.id)
    head = select(oldest.c.id, oldest.c.size_bytes, up_to.label("up_to")).subquery("head")
    statement = (
        select(_O.id, _O.n_spans, _O.size_bytes, _O.created_at, _O.attempts, _O.payload)
        .join(head, head.c.id == _O.id)
        .where((head.c.up_to <= max_bytes) | (head.c.up_to == head.c.size_bytes))
        .order_by(_O.id)
    )
    return [
        OutboxRow(
            id=row.id,
            n_spans=row.n_spans,
            size_bytes=row.size_bytes,
            created_at_us=row.created_at,
            attempts=row.attempts,
            payload=row.payload,
        )
        for row in conn.execute(statement)
    ]


def mark_sent(conn: Connection, ids: Sequence[int], at_us: int) -> int:
    """Notes that a collector acknowledged these rows (primary key); returns how many were new.

    Task spans are to be looked for in the backend `LOOK_AFTER_US` later.
    """
    statement = update(OUTBOX).where(_O.id.in_(ids), in_state("new"))
    look_at = case((_O.rank == RANK_TASK, at_us + LOOK_AFTER_US))
    values = {"state": "sent", "sent_at": at_us, "look_at": look_at, "error": None}
    return conn.execute(statement.values(values)).rowcount


def mark_poison(conn: Connection, row_id: int, error: str) -> int:
    """Quarantines a row with the collector's answer (primary key); returns 1 if it was new."""
    statement = update(OUTBOX).where(_O.id == row_id, in_state("new"))
    return conn.execute(statement.values(state="poison", error=error[:ERROR_LENGTH])).rowcount


def count_attempt(conn: Connection, ids: Sequence[int], error: str) -> None:
    """Notes that these rows were refused together, and with which answer (primary key)."""
    statement = update(OUTBOX).where(_O.id.in_(ids), in_state("new"))
    conn.execute(statement.values(attempts=_O.attempts + 1, error=error[:ERROR_LENGTH]))


def spans_of_task(conn: Connection, task_id: int) -> list[bytes]:
    """Payloads of a task, oldest first, whether sent or not (`ix_span_outbox_task`)."""
    return _payloads(conn, _O.task_id == task_id)


def unsent_of_task(conn: Connection, task_id: int) -> int:
    """Rows of a task that no collector has acknowledged (`ix_span_outbox_task`)."""
    statement = select(func.count(_O.id)).where(_O.task_id == task_id, _O.state != "sent")
    return conn.execute(statement).scalar_one()


def of_trace(conn: Connection, trace_id: str) -> list[bytes]:
    """Payloads of a trace (32 hex digits), oldest first, sent or not (`ix_span_outbox_trace`)."""
    return _payloads(conn, _O.trace_id == trace_id)


def _payloads(conn: Connection, condition: ColumnElement[bool]) -> list[bytes]:
    return list(conn.scalars(select(_O.payload).where(condition).order_by(_O.id)))


def measure(conn: Connection) -> OutboxState:
    """Counts, bytes and ages by state, and what was ever lost.

    One statement over the covering partial indexes, each walked once, and the loss table. Its cost
    grows with the rows of the outbox: ask every few seconds, not at every request.
    """
    new, sent, poison = (_counts(state) for state in ("new", "sent", "poison"))
    row = conn.execute(
        select(
            new.c.n.label("pending"),
            new.c.size_bytes.label("pending_bytes"),
            new.c.oldest.label("oldest_pending_us"),
            sent.c.n.label("sent"),
            sent.c.size_bytes.label("sent_bytes"),
            poison.c.n.label("poison"),
            poison.c.size_bytes.label("poison_bytes"),
            _sum(select(func.sum(LOSS.c.row_count)), "lost_rows"),
            _sum(
                select(func.sum(LOSS.c.row_count)).where(LOSS.c.rank == RANK_TASK), "lost_task_rows"
            ),
            _sum(select(func.sum(LOSS.c.span_count)), "lost_spans"),
            _scalar(select(func.max(LOSS.c.last_at)), "last_lost_us"),
            _scalar(
                select(_O.error).where(in_state("poison")).order_by(_O.id.desc()).limit(1),
                "poison_error",
            ),
        ).select_from(new.join(sent, true()).join(poison, true()))
    ).one()
    found: dict[str, Any] = {
        name: int(value) if isinstance(value, Decimal) else value
        for name, value in row._asdict().items()
    }
    return OutboxState(**found)


def _counts(state: str) -> Subquery:
    """One row of the rows in a state: how many, their bytes, and the oldest of the new ones."""
    oldest = func.min(_O.created_at) if state == "new" else null()
    return (
        select(
            func.count(_O.id).label("n"),
            func.coalesce(func.sum(_O.size_bytes), 0).label("size_bytes"),
            oldest.label("oldest"),
        )
        .where(in_state(state))
        .subquery(f"rows_{state}")
    )


def _scalar(statement: Select[Any], name: str) -> Any:
    return statement.scalar_subquery().label(name)


def _sum(statement: Select[Any], name: str) -> Any:
    return func.coalesce(statement.scalar_subquery(), 0).label(name)
