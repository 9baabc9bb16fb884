"""Rows of the span outbox made new again, to be sent once more: by time, by task, or refused.

Sending twice is harmless (the same span is the same bytes), so each of these may take too many, and
never too few. Each call changes `limit` rows at most: call it in transactions of its own until it
returns no rows. No function commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, select, update

from telemetry.outbox_table import (
    OUTBOX,
    RANK_REQUEST,
    RANK_TASK,
    ROWS_PER_CALL,
    in_state,
)

_O = OUTBOX.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """Rows that are new again.

    Attributes:
        spans: Spans in these rows.
        task_ids: Tasks that they tell of.
        last_id: Highest id of them; 0 where there are none.
    """

    rows: int
    spans: int
    task_ids: frozenset[int]
    last_id: int


def resend(
    conn: Connection,
    *,
    since_us: int,
    until_us: int,
    above_id: int = 0,
    limit: int = ROWS_PER_CALL,
) -> Renewed:
    """Makes rows above an id new again that were sent in [since, until).

    Index `ix_span_outbox_sent`. Fix `until_us` before the first call, or it chases what is being
    sent anew.
    """
    chosen = (
        select(_O.id)
        .where(
            in_state("sent"),
            _O.sent_at >= since_us,
            _O.sent_at < until_us,
            _O.id > above_id,
        )
        .order_by(_O.sent_at, _O.id)
        .limit(limit)
    )
    return _renew(conn, "sent", chosen)


def resend_tasks(
    conn: Connection, task_ids: Sequence[int], *, until_us: int, limit: int = ROWS_PER_CALL
) -> Renewed:
    """Makes rows of these tasks new again that were sent before `until_us` (`ix_span_outbox_task`).

    The requests that made or followed them are among their rows.
    """
    chosen = (
        select(_O.id)
        .where(in_state("sent"), _O.task_id.in_(task_ids), _O.sent_at < until_us)
        .limit(limit)
    )
    return _renew(conn, "sent", chosen)


def resend_requests(conn: Connection, trace_ids: Sequence[str], *, until_us: int) -> Renewed:
    """Makes the request spans of these traces new again (`ix_span_outbox_trace`).

    A request that made several tasks has a row with the id of the first one only.
    """
    chosen = select(_O.id).where(
        in_state("sent"),
        _O.trace_id.in_(trace_ids),
        _O.rank == RANK_REQUEST,
        _O.sent_at < until_us,
    )
    return _renew(conn, "sent", chosen)


def release_poison(
    conn: Connection,
    *,
    task_ids: Sequence[int] | None = None,
    since_us: int = 0,
    until_us: int | None = None,
    after_id: int = 0,
    limit: int = ROWS_PER_CALL,
) -> Renewed:
    """Makes quarantined rows above `after_id` new again (`ix_span_outbox_poison`).

    Go on after `last_id`: a row that is refused again at once is not chased.

    Args:
        conn: A writing transaction.
        task_ids: Only rows of these tasks; None: of all, and of none.
        since_us: Only rows made at this moment or later,
        until_us: and before this one; None: however late.
        after_id: Where the call before ended.
        limit: Rows changed at most.
    """
    chosen = select(_O.id).where(in_state("poison"), _O.id > after_id, _O.created_at >= since_us)
    if until_us is not None:
        chosen = chosen.where(_O.created_at < until_us)
    if task_ids is not None:
        chosen = chosen.where(_O.task_id.in_(task_ids))
    return _renew(conn, "poison", chosen.order_by(_O.id).limit(limit))


def newest_sent(conn: Connection) -> int | None:
    """When the last row was sent, in microseconds (`ix_span_outbox_sent`); None: none was."""
    statement = select(_O.sent_at).where(in_state("sent")).order_by(_O.sent_at.desc()).limit(1)
    return conn.execute(statement).scalar_one_or_none()


def with_task_span(conn: Connection, task_ids: Sequence[int]) -> set[int]:
    """Those of these tasks whose task span lies here, in any state (`ix_span_outbox_task`)."""
    statement = select(_O.task_id).distinct().where(_O.task_id.in_(task_ids), _O.rank == RANK_TASK)
    return set(conn.scalars(statement))


def _renew(conn: Connection, state: str, chosen: Select[tuple[int]]) -> Renewed:
    statement = update(OUTBOX).where(in_state(state), _O.id.in_(chosen))
    renewed = statement.values(state="new", sent_at=None, look_at=None, error=None)
    rows = conn.execute(renewed.returning(_O.id, _O.n_spans, _O.task_id)).all()
    return Renewed(
        rows=len(rows),
        spans=sum(row.n_spans for row in rows),
        task_ids=frozenset(row.task_id for row in rows if row.task_id is not None),
        last_id=max((row.id for row in rows), default=0),
    )
