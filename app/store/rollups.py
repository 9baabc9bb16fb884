"""Sums of tasks by status and by what they are told apart: from rollups, or from rows.

Each function is one statement; all of one snapshot add up to the same whatever they are cut into.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    text,
)

from app.domain.sums import NAMES, Sums
from app.domain.window import HOUR_US, Span
from app.store.counted import COUNTED
from app.store.tables import stat_cube_table, stat_period_table, stat_submission_table, task_table

_P = stat_period_table.c
_C = stat_cube_table.c
_S = stat_submission_table.c
_T = task_table.c

#: A dimension's column of `task`; a task without a value has the empty one in the rollups.
COLUMNS: Final[dict[str, ColumnElement[str]]] = {
    "engine": _T.engine,
    "voice": _T.voice,
    "language": func.coalesce(_T.language, ""),
    "worker": func.coalesce(_T.worker_name, ""),
    "host": func.coalesce(_T.host, ""),
    "release": func.coalesce(_T.release, ""),
}
_NO_START: Final[ColumnElement[Any]] = literal_column("NULL")
_OF_ROWS: Final[dict[str, ColumnElement[Any]]] = {
    "n": func.count(),
    "run_ms": func.sum(_T.run_ms),
    "wait_ms": func.sum(_T.wait_ms),
    "total_ms": func.sum(_T.total_ms),
    "char_count": func.sum(_T.char_count),
    "audio_ms": func.coalesce(func.sum(_T.audio_duration_ms), 0),
    "retry_count": literal_column(
        "sum(CASE WHEN task.attempt > 1 + task.capacity_count"
        " THEN task.attempt - 1 - task.capacity_count ELSE 0 END)"
    ),
    "lost_count": func.sum(_T.lost_count),
    "capacity_count": func.sum(_T.capacity_count),
    "capacity_ms": literal_column("sum(task.capacity_us / 1000)"),
    "late_count": func.count(_T.timed_out_at),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Sums of tasks that share a status and the values of some dimensions, in their order.

    Attributes:
        start: The hour or day in which they ended; None where it was not asked for.
    """

    values: tuple[str, ...]
    start: int | None = None
    status: str
    is_archived: bool
    sums: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispositions:
    """Requests that became new work, followed it or were skipped: how many, of what length."""

    disposition: str
    engine: str
    start: int | None = None
    n: int
    char_count: int
    audio_ms: int


def of_periods(conn: Connection, span: Span, *, by_start: bool = False) -> list[Cell]:
    """Ended tasks of some hours or days (primary key; hours x 8 cells, PostgreSQL: x 16 shards)."""
    return _cells(conn.execute(_periods(by_start=by_start), asdict(span)).all(), 0)


@cache
def _periods(*, by_start: bool) -> Select[Any]:
    keys: list[ColumnElement[Any]] = [
        _P.start if by_start else _NO_START,
        _P.status,
        _P.archived,
    ]
    return (
        select(*keys, *(func.sum(_P[name]) for name in NAMES))
        .where(*_inside(_P))
        .group_by(*keys[0 if by_start else 1 :])
    )


def of_cube(
    conn: Connection, span: Span | None, dimensions: Sequence[str], *, by_start: bool = False
) -> list[Cell]:
    """The same by dimensions (primary key; reads every cell of the span); None: of all time."""
    statement = _cube(tuple(dimensions), is_all=span is None, by_start=by_start)
    values = {} if span is None else asdict(span)
    return _cells(conn.execute(statement, values).all(), len(dimensions))


@cache
def _cube(dimensions: tuple[str, ...], *, is_all: bool, by_start: bool) -> Select[Any]:
    keys: list[ColumnElement[Any]] = [
        *(_C[name] for name in dimensions),
        _C.status,
        _C.archived,
    ]
    start: list[ColumnElement[Any]] = [_C.start] if by_start else []
    statement = select(
        *keys[:-2], *(start or [_NO_START]), *keys[-2:], *(func.sum(_C[name]) for name in NAMES)
    ).group_by(*keys, *start)
    return statement.where(_C.grain == "all") if is_all else statement.where(*_inside(_C))


def of_ended_rows(conn: Connection, start: int, end: int, dimensions: Sequence[str]) -> list[Cell]:
    """The same from the rows of tasks that ended in a stretch of time (index ix_task_finished)."""
    keys: list[ColumnElement[Any]] = [COLUMNS[name] for name in dimensions]
    statement: Select[Any] = (
        select(*keys, _NO_START, _T.status, literal_column("0"), *_OF_ROWS.values())
        .select_from(task_table)
        .where(_T.finished_at >= start, _T.finished_at < end, COUNTED)
        .group_by(*keys, _T.status)
    )
    return _cells(conn.execute(statement).all(), len(keys))


def of_live_rows(conn: Connection, dimensions: Sequence[str]) -> list[Cell]:
    """Tasks that wait or run, by dimensions (ix_task_pending, ix_task_processing; reads them)."""
    keys: list[ColumnElement[Any]] = [COLUMNS[name] for name in dimensions]
    found: list[Cell] = []
    for status in ("pending", "processing"):
        statement = (
            select(func.count(), func.sum(_T.char_count), *keys)
            .where(text(f"task.status = '{status}'"), COUNTED)
            .group_by(*keys)
        )
        for row in conn.execute(statement).all():
            n, char_count, *values = tuple(row)
            if n:
                sums = Sums(n=int(n), char_count=int(char_count))
                found.append(
                    Cell(values=tuple(values), status=status, is_archived=False, sums=sums)
                )
    return found


def archived_hours(conn: Connection, hours: Iterable[int]) -> set[int]:
    """Those of the hours of which retention removed tasks (primary key)."""
    statement = (
        select(_P.start)
        .where(_P.grain == "hour", _P.start.in_(sorted(hours)), _P.archived == 1, _P.n > 0)
        .distinct()
    )
    return set(conn.execute(statement).scalars())


def first_hour(conn: Connection) -> int | None:
    """The first hour in which a task ended (primary key, one entry); None: nothing ever ended."""
    return conn.execute(_FIRST_HOUR).scalar_one_or_none()


def first_end(conn: Connection, hour: int) -> int | None:
    """When the first task of an hour ended (index ix_task_finished); None: it has none any more."""
    within = (_T.finished_at >= hour, _T.finished_at < hour + HOUR_US, COUNTED)
    return conn.execute(select(func.min(_T.finished_at)).where(*within)).scalar_one_or_none()


#: Built once: building a statement costs more than running it.
_FIRST_HOUR: Final = select(func.min(_P.start)).where(_P.grain == "hour", _P.n > 0)


def of_submissions(
    conn: Connection, span: Span | None, *, by_start: bool = False
) -> list[Dispositions]:
    """What became of requests in some hours or days (primary key); None: of all time.

    Args:
        conn: Where to read.
        span: The hours or days.
        by_start: Whether each hour or day is told apart.
    """
    statement = _submissions(is_all=span is None, by_start=by_start)
    values = {} if span is None else asdict(span)
    found = conn.execute(statement, values).all()
    return [
        Dispositions(
            start=row[0],
            engine=row[1],
            disposition=row[2],
            n=int(row[3]),
            char_count=int(row[4]),
            audio_ms=int(row[5]),
        )
        for row in found
    ]


@cache
def _submissions(*, is_all: bool, by_start: bool) -> Select[Any]:
    keys: list[ColumnElement[Any]] = [
        _S.start if by_start else _NO_START,
        _S.engine,
        _S.disposition,
    ]
    sums = (func.sum(_S.n), func.sum(_S.char_count), func.sum(_S.audio_ms))
    statement = select(*keys, *sums).group_by(*keys[0 if by_start else 1 :])
    if is_all:
        return statement.where(_S.grain == "all")
    return statement.where(*_inside(_S))


def _inside(columns: Any) -> tuple[ColumnElement[bool], ...]:
    """Within a span, given as parameters."""
    return (
        columns.grain == bindparam("grain"),
        columns.start >= bindparam("start"),
        columns.start < bindparam("end"),
    )


def _cells(rows: Iterable[Row[Any]], width: int) -> list[Cell]:
    """Rows of the values, the start, the status, whether archived, and the sums."""
    return [
        Cell(
            values=tuple(row[:width]),
            start=row[width],
            status=row[width + 1],
            is_archived=bool(row[width + 2]),
            sums=Sums(**{name: int(n) for name, n in zip(NAMES, row[width + 3 :], strict=True)}),
        )
        for row in rows
    ]
