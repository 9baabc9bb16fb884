"""How often failures of a fingerprint happened, when, and where: from the cube, or from rows.

The cube knows hours and days, and what retention removed; rows know moments. Both tell the same of
whole hours. Repeats are told apart, never left out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    func,
    literal_column,
    select,
    text,
)

from app.domain import lengths
from app.domain.window import Span
from app.store.counted_attempts import COUNTED, OF_ATTEMPT
from app.store.tables import attempt_table, stat_attempt_table, stat_profile_table, task_table

_A = attempt_table.c
_C = stat_attempt_table.c
_P = stat_profile_table.c
_T = task_table.c
# literals in the SQL: SQLite takes a partial index only so
_FAILED: Final = text("stat_profile.failure <> ''")
_GROUPED: Final = text("task_attempt.fingerprint IS NOT NULL AND task_attempt.source <> 'canary'")
_LISTED: Final = text("task.fingerprint IS NOT NULL AND task.source <> 'canary'")
_ONCE: Final[ColumnElement[int]] = literal_column("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Failures that share fingerprint, values and a stretch of time.

    Attributes:
        values: Of the dimensions asked for, in their order; of `length` the label.
        at: The beginning of the hour or day; of rows the number of the step.
    """

    fingerprint: str
    is_repeat: bool
    values: tuple[str, ...]
    at: int
    n: int


def of_span(
    conn: Connection,
    span: Span,
    names: Sequence[str],
    *,
    where: Mapping[str, str],
    fingerprint: str | None = None,
) -> list[Cell]:
    """Failures of some hours or days from the cube, removed ones too.

    Reads the span's cells (primary key); of one fingerprint, those of its profiles
    (ix_stat_profile_failure, ix_stat_attempt_profile).
    """
    within = (_C.grain == span.grain, _C.start >= span.start, _C.start < span.end)
    return _cells(conn, _cube(names, _C.start, where, fingerprint).where(*within), names)


def of_all_time(conn: Connection, fingerprint: str, names: Sequence[str]) -> list[Cell]:
    """Failures of a fingerprint ever (ix_stat_profile_failure, ix_stat_attempt_profile)."""
    statement = _cube(names, _ONCE, {}, fingerprint).where(_C.grain == "day")
    return _cells(conn, statement, names)


def last_hour(conn: Connection, fingerprint: str) -> int | None:
    """The last hour in which something failed so, removed or not; None: nothing ever did.

    Index ix_stat_profile_failure, then one entry of ix_stat_attempt_profile for each profile.
    """
    newest = (
        select(func.max(_C.start))
        .where(_C.profile_id == _P.id, _C.grain == "hour")
        .scalar_subquery()
    )
    statement = select(func.max(newest)).where(_FAILED, _P.failure == fingerprint)
    found = conn.execute(statement).scalar_one()
    return None if found is None else int(found)


def of_rows(
    conn: Connection,
    keys: Collection[str],
    between: tuple[int, int, int],
    names: Sequence[str],
    *,
    where: Mapping[str, str],
) -> list[Cell]:
    """Failures of some fingerprints from the rows of a stretch of time.

    Index ix_task_attempt_fingerprint, from the moment on for each key; reads each row.

    Args:
        conn: Where to read.
        keys: Fingerprints.
        between: From a moment on, before another, in steps of so many microseconds.
        names: Dimensions that are told.
        where: dimension -> value: only failures there.
    """
    start, end, step_us = between
    step: ColumnElement[int] = literal_column(
        f"((task_attempt.finished_at - {start:d}) / {step_us:d})"
    )
    columns = [OF_ATTEMPT[name] for name in names]
    statement = (
        select(_A.fingerprint, OF_ATTEMPT["is_repeat"], step, func.count(), *columns)
        .where(
            _GROUPED,
            COUNTED,
            _A.fingerprint.in_(sorted(keys)),
            _A.finished_at >= start,
            _A.finished_at < end,
            *_conditions(OF_ATTEMPT, where),
        )
        .group_by(_A.fingerprint, OF_ATTEMPT["is_repeat"], step, *columns)
    )
    return _cells(conn, statement, names)


def tasks_of(conn: Connection, fingerprint: str, cap: int) -> int:
    """Tasks that failed so, by their own attempts; counting stops at `cap` attempts.

    Index ix_task_attempt_fingerprint alone.
    """
    newest = (
        select(_A.task_id)
        .where(_GROUPED, _A.fingerprint == fingerprint)
        .order_by(_A.finished_at.desc())
        .limit(cap)
        .subquery()
    )
    statement = select(func.count(newest.c.task_id.distinct()))
    return int(conn.execute(statement).scalar_one())


def ends_of_tasks(conn: Connection, fingerprint: str, since: int, cap: int) -> list[int]:
    """When tasks ended with this fingerprint, of those submitted last at most `cap`.

    Index ix_task_fingerprint; reads each row. For groups whose tasks never had an attempt.
    """
    statement = (
        select(_T.finished_at)
        .where(_LISTED, _T.fingerprint == fingerprint, _T.finished_at >= since)
        .order_by(_T.submitted_at.desc())
        .limit(cap)
    )
    return [int(at) for at in conn.execute(statement).scalars()]


def _cube(
    names: Sequence[str],
    at: ColumnElement[int],
    where: Mapping[str, str],
    fingerprint: str | None,
) -> Select[Any]:
    columns = [_P[name] for name in names]
    of_one = [] if fingerprint is None else [_P.failure == fingerprint]
    keys = [] if at is _ONCE else [at]
    return (
        select(_P.failure, _P.is_repeat, at, func.sum(_C.n), *columns)
        .select_from(stat_attempt_table.join(stat_profile_table, _P.id == _C.profile_id))
        .where(_FAILED, *of_one, *_conditions(_P, where))
        .group_by(_P.failure, _P.is_repeat, *keys, *columns)
    )


def _conditions(columns: Any, where: Mapping[str, str]) -> Iterable[ColumnElement[bool]]:
    return [columns[name] == value for name, value in where.items()]


def _cells(conn: Connection, statement: Select[Any], names: Sequence[str]) -> list[Cell]:
    place = names.index("length") if "length" in names else None
    return [_cell(row, place) for row in conn.execute(statement).all()]


def _cell(row: Row[Any], place: int | None) -> Cell:
    fingerprint, is_repeat, at, n, *values = tuple(row)
    if place is not None:
        values[place] = lengths.LABELS[values[place]]
    return Cell(
        fingerprint=fingerprint,
        is_repeat=bool(is_repeat),
        values=tuple(values),
        at=int(at),
        n=int(n),
    )
