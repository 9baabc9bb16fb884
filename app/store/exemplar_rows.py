"""Attempts that may serve as examples: selected ones, and those near them in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    not_,
    select,
    text,
    true,
    union_all,
)

from app.domain import lengths
from app.domain.query.query import Query
from app.store import attempt_filter
from app.store.attempt_filter import Sides
from app.store.counted_attempts import COUNTED, GROUPED
from app.store.lists.attempts import BY_END
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
#: Columns of a row as it is read, and places in it.
COLUMNS: Final = len(_COLUMNS)
AT: Final = 3
CHARS: Final = 4
NAMES: Final = slice(5, 12)
Raw = Sequence[Any]


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
class Selected:
    """Which selected attempts are read; a statement that is made once and asked several times."""

    statement: Select[Any]


def selected_of(
    conn: Connection, sides: Sides, fits: Query, *, by_group: bool, newest: bool
) -> Selected:
    """Selected attempts of a predicate, none of them a repeat, by their ends.

    Args:
        conn: Where they will be read.
        sides: Which are selected.
        fits: The predicate.
        by_group: Whether they are failures of one group.
        newest: Whether the newest come first; else the oldest.
    """
    is_of = and_(ATTEMPT["fingerprint"] == bindparam("group"), GROUPED) if by_group else true()
    statement = (
        select(*_COLUMNS)
        .select_from(table_by("task_attempt", _GROUP if by_group else _ENDED, conn.dialect.name))
        .where(
            is_of,
            COUNTED,
            ATTEMPT["finished_at"] >= bindparam("low"),
            ATTEMPT["finished_at"] < bindparam("high"),
            ~ATTEMPT["is_repeat"],
            *_all(conn, sides, sides.within, sides.selection, fits),
        )
        .order_by(*(column.desc() if newest else column.asc() for column in BY_END))
        .limit(bindparam("most"))
    )
    return Selected(statement=statement)


def selected(
    conn: Connection, of: Selected, low: int, high: int, *, group: str | None, most: int
) -> list[AttemptRow]:
    """So many of them that ended from `low` on and before `high`.

    Index ix_task_attempt_fingerprint by group: reads its failures until there are enough; else
    ix_task_attempt_ended: reads all that ended then.
    """
    values = {"low": low, "high": high, "most": most} | ({"group": group} if group else {})
    return [row_of(row) for row in conn.execute(of.statement, values)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Which attempts are read around a moment; a statement that is made once."""

    statement: CompoundSelect[Any]


def near_of(conn: Connection, sides: Sides) -> Near:
    """Attempts that completed and are not selected, among those that ended around a moment."""
    conditions = [
        ATTEMPT["outcome"] == "completed",
        not_(func.coalesce(and_(true(), *_all(conn, sides, sides.selection)), false())),
        *_all(conn, sides, sides.within),
    ]
    flag = case((and_(*conditions), 1), else_=0).label("fits")
    ended = ATTEMPT["finished_at"]
    sides_of = (
        ((ended >= bindparam("low"), ended < bindparam("at")), ended.desc()),
        ((ended >= bindparam("at"), ended < bindparam("high")), ended.asc()),
    )
    walked = [
        select(*_COLUMNS, flag)
        .select_from(table_by("task_attempt", _ENDED, conn.dialect.name))
        .where(COUNTED, *between)
        .order_by(order)
        .limit(bindparam("walk"))
        .subquery(f"walked_{place}")
        for place, (between, order) in enumerate(sides_of)
    ]
    # by name: making columns of a subquery takes longer than reading it
    kept: list[ColumnElement[Any]] = [literal_column(column.name) for column in _COLUMNS]
    halves = [select(*kept).select_from(half).where(text("fits = 1")) for half in walked]
    return Near(statement=union_all(*halves))


def near(conn: Connection, of: Near, at: int, low: int, high: int, *, walk: int) -> list[Raw]:
    """Those of them among `walk` that ended before a moment, from `low` on, and after it.

    Index ix_task_attempt_ended, twice; reads twice `walk` rows.
    """
    values = {"at": at, "low": low, "high": high, "walk": walk}
    return list(conn.execute(of.statement, values).cursor.fetchall())


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


def _all(conn: Connection, sides: Sides, *queries: Query) -> list[ColumnElement[bool]]:
    asking = Asking(dialect=conn.dialect.name, now_us=sides.now_us)
    return [holds for query in queries for holds in attempt_filter.conditions(query, asking)]


def row_of(row: Sequence[Any]) -> AttemptRow:
    """A row of the columns above as a value."""
    task_id, attempt, span_id, at, char_count, *names, source = row
    return AttemptRow(
        task_id=task_id,
        attempt=attempt,
        span_id=span_id,
        at=at,
        char_count=char_count,
        values=(*names, lengths.label(char_count), source),
    )
