"""A filter of attempts in SQL: its conditions on rows, and how many rows fit it, by their values.

The rows are those of `task_attempt` that count: attempts that completed or failed, but canaries.
The statements read them by ix_task_attempt_ended, from a moment on and before another.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    and_,
    case,
    func,
    literal_column,
    select,
    text,
    true,
)

from app.domain import lengths
from app.domain.query.query import Query
from app.store.counted_attempts import COUNTED
from app.store.lists.attempts import ATTEMPT_ROWS, DUR_MS, HOUR
from app.store.lists.columns import ATTEMPT, table_by
from app.store.lists.terms import Asking

_INDEX: Final = "ix_task_attempt_ended"
_PPM: Final = 1_000_000
#: What its failure counts by; NULL of one that completed. Without a fingerprint: by its type.
FAILURE: Final = literal_column(
    "CASE WHEN task_attempt.outcome <> 'completed' THEN coalesce(task_attempt.fingerprint,"
    " substr('v0:' || coalesce(task_attempt.error_type, 'unknown'), 1, 40)) END",
    String,
)
_IS_REPEAT: Final = ATTEMPT["is_repeat"]
#: The dimensions, in the order of `dimensions.DIMENSIONS`.
_VALUES: Final[tuple[ColumnElement[Any], ...]] = (
    *(ATTEMPT[name] for name in ("worker_name", "host", "engine", "voice", "language", "release")),
    literal_column(lengths.sql("task_attempt.char_count"), Integer),
    ATTEMPT["source"],
)
_LENGTH: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Which attempts are looked at, and which of them are selected: these, and the others.

    Attributes:
        start, end: They ended from the one on and before the other, microseconds.
        within: What holds for all that are looked at.
        selection: What holds, beside it, for those that are selected.
        now_us: The moment that "so long ago" counts from.
    """

    start: int
    end: int
    within: Query
    selection: Query
    now_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCell:
    """Attempts of the same values that failed the same way, or did not.

    Attributes:
        values: In the order of `dimensions.DIMENSIONS`, then the hour where it was asked
            for; lengths and hours as their filters are written.
        failure: The fingerprint that they count by; None: they completed.
        selected: How many are selected, repeats left out.
        others: How many are not, repeats left out.
        repeats: How many repeats there are, selected or not; the other two may then be 0.
    """

    values: tuple[str, ...]
    failure: str | None
    selected: int
    others: int
    repeats: int


def conditions(query: Query, asking: Asking) -> list[ColumnElement[bool]]:
    """What a filter asks of a row of `task_attempt`, beside that it counts (`COUNTED`)."""
    return [ATTEMPT_ROWS.condition(term, asking) for term in query.terms]


def cells_of_rows(conn: Connection, sides: Sides, *, with_hour: bool = False) -> list[RowCell]:
    """The attempts by their values and their failures (ix_task_attempt_ended, reads each row)."""
    values = (*_VALUES, HOUR) if with_hour else _VALUES
    keys = [column.label(f"v{at}") for at, column in enumerate(values)]
    is_selected = case((_selected(conn, sides), 1), else_=0).label("is_selected")
    is_repeat = case((_IS_REPEAT, 1), else_=0).label("is_repeat")
    inner = _rows(conn, sides, *keys, FAILURE.label("failure"), is_selected, is_repeat).subquery()
    row = inner.c
    grouped = [row[key.name] for key in keys]
    statement = select(
        *grouped,
        row.failure,
        func.sum((1 - row.is_repeat) * row.is_selected),
        func.sum((1 - row.is_repeat) * (1 - row.is_selected)),
        func.sum(row.is_repeat),
    ).group_by(*grouped, row.failure)
    return [
        RowCell(
            values=_written(found[: len(keys)]),
            failure=found[-4],
            selected=int(found[-3]),
            others=int(found[-2]),
            repeats=int(found[-1]),
        )
        for found in conn.execute(statement)
    ]


def count_up_to(conn: Connection, sides: Sides, cap: int) -> int:
    """How many attempts `within` holds for; counting stops at `cap` (ix_task_attempt_ended).

    Without a filter it looks in the index alone.
    """
    rows = _rows(conn, sides, ATTEMPT["finished_at"]).limit(cap).subquery()
    return int(conn.execute(select(func.count()).select_from(rows)).scalar_one())


def moments(conn: Connection, sides: Sides) -> list[tuple[int, bool]]:
    """When each attempt ended, in order, and whether it is selected; repeats are left out.

    By ix_task_attempt_ended; reads each row.
    """
    is_selected = case((_selected(conn, sides), 1), else_=0)
    statement = (
        _rows(conn, sides, ATTEMPT["finished_at"], is_selected)
        .where(~_IS_REPEAT)
        .order_by(ATTEMPT["finished_at"])
    )
    return [(int(at), bool(selected)) for at, selected in conn.execute(statement)]


def bins(conn: Connection, sides: Sides, step_us: int) -> list[tuple[int, int, int]]:
    """Steps from `start` on that have attempts: number of the step, attempts, selected ones.

    By ix_task_attempt_ended; reads each row. Repeats are counted.
    """
    return [(int(at), int(n), int(selected)) for at, n, selected in _binned(conn, sides, step_us)]


def worker_bins(conn: Connection, sides: Sides, step_us: int) -> list[tuple[str, int, int, int]]:
    """The same by worker, who comes first; by ix_task_attempt_ended, reads each row."""
    found = _binned(conn, sides, step_us, ATTEMPT["worker_name"])
    return [(worker, int(at), int(n), int(selected)) for worker, at, n, selected in found]


def _binned(
    conn: Connection, sides: Sides, step_us: int, *values: ColumnElement[str]
) -> Iterable[Any]:
    step = literal_column(f"((task_attempt.finished_at - {sides.start:d}) / {step_us:d})", Integer)
    is_selected = case((_selected(conn, sides), 1), else_=0).label("is_selected")
    keys: list[ColumnElement[Any]] = [
        *(value.label(f"v{at}") for at, value in enumerate(values)),
        step.label("step"),
    ]
    row = _rows(conn, sides, *keys, is_selected).subquery().c
    by = [*row][: len(keys)]
    return conn.execute(
        select(*by, func.count(), func.sum(row.is_selected)).group_by(*by).order_by(*by)
    )


def duration_ms(conn: Connection, sides: Sides, quantile: float) -> int | None:
    """The quantile (above 0, 1 at most) of whole milliseconds that completed attempts ran.

    The least of these durations that at least so large a part of them do not exceed (as SQL's
    percentile_disc); None where none completed. So `outcome:completed dur:>=Nms` with this N is a
    filter of the slowest. By ix_task_attempt_ended; reads each row, sorts.
    """
    rows = _rows(
        conn,
        sides,
        DUR_MS.label("ms"),
        func.row_number().over(order_by=DUR_MS).label("place"),
        func.count().over().label("n"),
    )
    row = rows.where(text("task_attempt.outcome = 'completed'")).subquery().c
    rank = (row.n * round(quantile * _PPM) + (_PPM - 1)) // _PPM
    return conn.execute(select(row.ms).where(row.place == rank)).scalar()


def _rows(conn: Connection, sides: Sides, *columns: ColumnElement[Any]) -> Select[Any]:
    """Attempts that are looked at."""
    asking = Asking(dialect=conn.dialect.name, now_us=sides.now_us)
    return (
        select(*columns)
        .select_from(table_by("task_attempt", _INDEX, conn.dialect.name))
        .where(
            COUNTED,
            ATTEMPT["finished_at"] >= sides.start,
            ATTEMPT["finished_at"] < sides.end,
            *conditions(sides.within, asking),
        )
    )


def _selected(conn: Connection, sides: Sides) -> ColumnElement[bool]:
    asking = Asking(dialect=conn.dialect.name, now_us=sides.now_us)
    return and_(true(), *conditions(sides.selection, asking))


def _written(values: Any) -> tuple[str, ...]:
    hours = (f"{hour:02}" for hour in values[len(_VALUES) :])
    length = lengths.LABELS[values[_LENGTH]]
    return (*values[:_LENGTH], length, values[_LENGTH + 1], *hours)
