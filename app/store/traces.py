"""The rows behind traces, many tasks at a time, and what looks into Jaeger found of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, tuple_, update

from app.domain.records import AttemptRecord, TaskRecord
from app.store.counted import COUNTED
from app.store.rows import records
from app.store.tables import attempt_table, segment_table, task_table

_T = task_table.c
_A = attempt_table.c
_G = segment_table.c


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSpan:
    """The span of a committed segment; `attempt` made it."""

    task_id: int
    idx: int
    attempt: int
    span_id: str


def ended_between(
    conn: Connection, after: tuple[int, int], until: int, *, limit: int, with_canaries: bool = False
) -> list[TaskRecord]:
    """Tasks whose (finished_at, id) is above `after`, that ended before `until`, in that order.

    Index ix_task_finished: reads as many entries as it returns, and canaries' where they are left
    out.
    """
    statement = (
        select(task_table)
        .where(tuple_(_T.finished_at, _T.id) > after, _T.finished_at < until)
        .order_by(_T.finished_at, _T.id)
        .limit(limit)
    )
    if not with_canaries:
        statement = statement.where(COUNTED)
    return records(TaskRecord, conn.execute(statement))


def attempts_of(conn: Connection, task_ids: Sequence[int]) -> dict[int, list[AttemptRecord]]:
    """The attempts of these tasks, first to last (primary key)."""
    statement = (
        select(attempt_table).where(_A.task_id.in_(task_ids)).order_by(_A.task_id, _A.attempt)
    )
    found: dict[int, list[AttemptRecord]] = {task_id: [] for task_id in task_ids}
    for attempt in records(AttemptRecord, conn.execute(statement)):
        found[attempt.task_id].append(attempt)
    return found


def segment_spans_of(conn: Connection, task_ids: Sequence[int]) -> dict[int, list[SegmentSpan]]:
    """The spans of these tasks' committed segments (primary key)."""
    statement = (
        select(_G.task_id, _G.idx, _G.attempt, _G.span_id)
        .where(
            _G.task_id.in_(task_ids),
            _G.span_id.is_not(None),
            _G.attempt.is_not(None),
            _G.finished_at.is_not(None),
        )
        .order_by(_G.task_id, _G.idx)
    )
    found: dict[int, list[SegmentSpan]] = {task_id: [] for task_id in task_ids}
    for segment in records(SegmentSpan, conn.execute(statement)):
        found[segment.task_id].append(segment)
    return found


def first_finish(conn: Connection, since: int) -> int | None:
    """When the first task ended that ended since a moment (ix_task_finished, one row)."""
    statement = (
        select(_T.finished_at).where(_T.finished_at >= since).order_by(_T.finished_at).limit(1)
    )
    return conn.execute(statement).scalar_one_or_none()


def seen_after(conn: Connection, finished_after: int, *, limit: int) -> list[TaskRecord]:
    """The first tasks that ended after a moment and whose traces were seen (ix_task_finished)."""
    statement = (
        select(task_table)
        .where(_T.finished_at > finished_after, _T.trace_seen_at.is_not(None))
        .order_by(_T.finished_at, _T.id)
        .limit(limit)
    )
    return records(TaskRecord, conn.execute(statement))


def note_seen(conn: Connection, task_ids: Sequence[int], at: int) -> None:
    """Notes that Jaeger has the whole traces of these tasks (primary key)."""
    statement = update(task_table).where(_T.id.in_(task_ids), _T.trace_seen_at.is_(None))
    conn.execute(statement.values(trace_seen_at=at))


def note_missing(conn: Connection, task_ids: Sequence[int], at: int) -> None:
    """Notes that Jaeger lacked spans of these tasks, which are sent again (primary key)."""
    statement = update(task_table).where(_T.id.in_(task_ids))
    conn.execute(
        statement.values(
            trace_seen_at=None, trace_missing_at=at, trace_resends=_T.trace_resends + 1
        )
    )
