"""Durations of completed tasks: histograms of hours and days, values of rows, one by its rank."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, case, func, literal_column, select, text

from app.domain.window import Span
from app.store.counted import COUNTED
from app.store.rollups import COLUMNS
from app.store.tables import (
    stat_cube_table,
    stat_latency_table,
    stat_period_table,
    task_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement

_L = stat_latency_table.c
_P = stat_period_table.c
_C = stat_cube_table.c
_T = task_table.c

#: Rows that are held at once where there may be many: memory that they took is hardly given back.
_AT_ONCE: Final = 1000
_DURATIONS: Final = {"run": _T.run_ms, "wait": _T.wait_ms, "total": _T.total_ms}
#: Indexes on durations hold rows of ended tasks, canaries left out: literals, for SQLite.
_ENDED: Final = text("task.finished_at IS NOT NULL AND task.source <> 'canary'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The packed histograms of a value of a dimension in one hour or day."""

    start: int
    value: str
    n: int
    buckets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many tasks a counter says; `archived`: how many of them retention removed."""

    n: int
    archived: int


def packed(conn: Connection, span: Span, dimension: str) -> list[Packed]:
    """The kept histograms of some hours or days (primary key); dimension "": of all tasks."""
    statement = select(_L.start, _L.value, _L.n, _L.buckets).where(
        _L.grain == span.grain,
        _L.start >= span.start,
        _L.start < span.end,
        _L.dimension == dimension,
    )
    return [
        Packed(start=start, value=value, n=int(n), buckets=buckets)
        for start, value, n, buckets in conn.execute(statement).all()
    ]


def completed(
    conn: Connection, span: Span, dimensions: Sequence[str]
) -> dict[int, dict[tuple[str, ...], Counted]]:
    """Completed tasks by hour or day and by the values of dimensions, out of the counters.

    Primary key; reads every cell of the span.
    """
    columns = _C if dimensions else _P
    keys: list[ColumnElement[Any]] = [columns[name] for name in dimensions]
    archived = case((columns.archived == 1, columns.n), else_=0)
    statement = (
        select(columns.start, func.sum(columns.n), func.sum(archived), *keys)
        .where(
            columns.grain == span.grain,
            columns.start >= span.start,
            columns.start < span.end,
            columns.archived.in_((0, 1)),
            columns.status == "completed",
        )
        .group_by(columns.start, *keys)
    )
    found: dict[int, dict[tuple[str, ...], Counted]] = {}
    for start, n, gone, *values in conn.execute(statement).all():
        if n:
            found.setdefault(start, {})[tuple(values)] = Counted(n=int(n), archived=int(gone))
    return found


def values(
    conn: Connection,
    start: int,
    end: int,
    dimensions: Sequence[str],
    only: Mapping[str, Collection[str]],
) -> Iterator[tuple[tuple[str, ...], tuple[int, int, int]]]:
    """Of each completed task that ended in a stretch of time: its values, and what it took.

    What it ran, waited and took in all, in milliseconds, in the order of `MEASURES`
    (index ix_task_finished; looks at every row of the stretch, and holds `_AT_ONCE` of them).

    Args:
        conn: Where to read.
        start: Where the stretch begins.
        end: Where it ends, left out.
        dimensions: Whose values are told.
        only: Allowed values by dimension.
    """
    keys = [COLUMNS[name] for name in dimensions]
    statement = select(*keys, *_DURATIONS.values()).where(
        _T.finished_at >= start,
        _T.finished_at < end,
        _T.status == "completed",
        COUNTED,
        *(COLUMNS[name].in_(sorted(allowed)) for name, allowed in only.items()),
    )
    width = len(keys)
    rows: Iterable[Any] = conn.execute(statement, execution_options={"yield_per": _AT_ONCE})
    return ((tuple(row[:width]), tuple(row[width:])) for row in rows)


def nth(
    conn: Connection,
    measure: str,
    *,
    low_ms: int,
    high_ms: int,
    n: int,
    ended: tuple[int, int] | None = None,
    by_window: bool = False,
    only: dict[str, Sequence[str]] | None = None,
) -> int | None:
    """The n-th (from 1) of the durations from `low_ms` to `high_ms`, in milliseconds.

    Args:
        conn: Where to read.
        measure: `run`, `wait` or `total`.
        low_ms: The lowest duration of its bucket.
        high_ms: The highest.
        n: Which one, in order.
        ended: Only of tasks that ended from the first moment on and before the second.
        by_window: Whether the rows of the window are walked (ix_task_finished), not those of the
            bucket (ix_task_run_ms and its like: without more conditions only the index is read).
        only: Allowed values by dimension.
    """
    column = _DURATIONS[measure]
    # a plus before a column hides it from the planner: the other index is taken
    duration = literal_column(f"+task.{column.name}") if by_window else column
    statement = select(column).where(
        _ENDED, literal_column("task.status") == "completed", duration.between(low_ms, high_ms)
    )
    if ended is not None:
        at = _T.finished_at if by_window else literal_column("+task.finished_at")
        statement = statement.where(at >= ended[0], at < ended[1])
    for name, allowed in (only or {}).items():
        statement = statement.where(COLUMNS[name].in_(allowed))
    found: int | None = conn.execute(
        statement.order_by(duration).limit(1).offset(n - 1)
    ).scalar_one_or_none()
    return found
