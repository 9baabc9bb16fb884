"""Attempts that may serve as examples: selected ones, and those near them in time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    select,
    true,
)

from app.domain import lengths
from app.domain.query.query import Query, named
from app.store import attempt_filter
from app.store.attempt_filter import Sides
from app.store.lists.attempts import BY_END, COUNTED, GROUPED
from app.store.lists.columns import ATTEMPT, table_by
from app.store.lists.terms import Asking
from app.store.tables import task_table

_T = task_table.c
_ENDED: Final = "ix_task_attempt_ended"
_GROUP: Final = "ix_task_attempt_fingerprint"
_COLUMNS: Final = tuple(
    ATTEMPT[name].label(name)
    for name in (
        *("task_id", "attempt", "span_id", "finished_at", "char_count"),
        *("worker_name", "host", "engine", "voice", "language", "release", "source"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt that ended, and what it is told apart by.

    Attributes:
        values: In the order of `dimensions.DIMENSIONS`; of `length` the label of its bucket.
    """

    task_id: int
    attempt: int
    span_id: str
    at: int
    char_count: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What of its task an example tells."""

    text_id: int
    trace_id: str
    trace_seen_at: int | None
    finished_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Attempts that ended from `start` on and before `end`; the newest first, or the oldest."""

    start: int
    end: int
    is_newest_first: bool = True


def selected(
    conn: Connection, sides: Sides, fits: Query, stretch: Stretch, *, group: str | None, limit: int
) -> list[AttemptRow]:
    """Selected attempts of a predicate, none of them a repeat, in the order of their ends.

    Index ix_task_attempt_fingerprint where `group`, a fingerprint, is given: reads its failures of
    the stretch until there are enough; else ix_task_attempt_ended: reads all that ended in it.
    """
    index = _ENDED if group is None else _GROUP
    is_of = COUNTED if group is None else and_(ATTEMPT["fingerprint"] == group, GROUPED, COUNTED)
    statement = (
        select(*_COLUMNS)
        .select_from(table_by("task_attempt", index, conn.dialect.name))
        .where(
            is_of,
            ATTEMPT["finished_at"] >= stretch.start,
            ATTEMPT["finished_at"] < stretch.end,
            ~ATTEMPT["is_repeat"],
            *_all(conn, sides, sides.within, sides.selection, fits),
        )
        .order_by(*_order(stretch))
        .limit(limit)
    )
    return [_row(row) for row in conn.execute(statement)]


def near(
    conn: Connection,
    sides: Sides,
    stretch: Stretch,
    equal: Mapping[str, str],
    *,
    least: int,
    walk: int,
    limit: int,
) -> list[AttemptRow]:
    """Attempts that completed and are not selected, among the first so many of a stretch.

    Index ix_task_attempt_ended; reads `walk` rows.

    Args:
        conn: Where to read.
        sides: Which are selected, and which are looked at at all.
        stretch: Where to walk, and from which end.
        equal: Values by dimension, of which
        least: at least so many are an attempt's own.
        walk: How many attempts are looked at.
        limit: How many are returned.
    """
    conditions = [
        ATTEMPT["outcome"] == "completed",
        not_(func.coalesce(and_(true(), *_all(conn, sides, sides.selection)), false())),
        *_all(conn, sides, sides.within),
    ]
    shared = sum(
        (case((holds, 1), else_=0) for holds in _equal(conn, sides, equal)),
        start=literal(0, Integer),
    )
    walked = (
        select(*_COLUMNS, case((and_(*conditions), 1), else_=0).label("fits"))
        .add_columns(shared.label("shared"))
        .select_from(table_by("task_attempt", _ENDED, conn.dialect.name))
        .where(
            COUNTED,
            ATTEMPT["finished_at"] >= stretch.start,
            ATTEMPT["finished_at"] < stretch.end,
        )
        .order_by(*_order(stretch))
        .limit(walk)
        .subquery()
    )
    row = walked.c
    kept = [row[column.name] for column in _COLUMNS]
    by_end = row.finished_at.desc() if stretch.is_newest_first else row.finished_at
    statement = (
        select(*kept).where(row.fits == 1, row.shared >= least).order_by(by_end).limit(limit)
    )
    return [_row(found) for found in conn.execute(statement)]


def facts(conn: Connection, task_ids: Sequence[int]) -> dict[int, TaskFacts]:
    """What these tasks tell of their traces (primary key)."""
    statement = select(_T.id, _T.text_id, _T.trace_id, _T.trace_seen_at, _T.finished_at).where(
        _T.id.in_(task_ids)
    )
    return {
        row.id: TaskFacts(
            text_id=row.text_id,
            trace_id=row.trace_id,
            trace_seen_at=row.trace_seen_at,
            finished_at=row.finished_at,
        )
        for row in conn.execute(statement)
    }


def _order(stretch: Stretch) -> list[ColumnElement[Any]]:
    return [column.desc() if stretch.is_newest_first else column.asc() for column in BY_END]


def _all(conn: Connection, sides: Sides, *queries: Query) -> list[ColumnElement[bool]]:
    asking = Asking(dialect=conn.dialect.name, now_us=sides.now_us)
    return [holds for query in queries for holds in attempt_filter.conditions(query, asking)]


def _equal(
    conn: Connection, sides: Sides, equal: Mapping[str, str]
) -> Iterator[ColumnElement[bool]]:
    terms = (named(name, value) for name, value in equal.items())
    yield from _all(conn, sides, *(Query(terms=(term,)) for term in terms))


def _row(row: Row[Any]) -> AttemptRow:
    values: tuple[Any, ...] = tuple(row)
    task_id, attempt, span_id, at, char_count, *names, source = values
    return AttemptRow(
        task_id=task_id,
        attempt=attempt,
        span_id=span_id,
        at=at,
        char_count=char_count,
        values=(*names, lengths.label(char_count), source),
    )
