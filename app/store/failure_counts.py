"""How often failures of a fingerprint happened, when, and where, from rows; how far rows tell.

The cube (`failure_cells.py`) knows hours and days, and what retention removed; rows know moments.
Both tell the same of whole hours. Repeats are told apart, never left out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    func,
    literal,
    literal_column,
    select,
)

from app.domain import lengths
from app.domain.window import Span
from app.store.counted_attempts import COUNTED, GROUPED, GROUPED_TASKS, OF_ATTEMPT
from app.store.tables import attempt_table, stat_attempt_table, task_table

_A = attempt_table.c
_C = stat_attempt_table.c
_T = task_table.c


class FailedRow(NamedTuple):
    """An attempt that failed.

    Attributes:
        at: The number of the bin.
        values: Of the dimensions asked for, in their order; of `length` the label.
    """

    fingerprint: str
    is_repeat: bool
    at: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Attempts of a fingerprint whose rows are kept, and the tasks that they are of."""

    attempts: int
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Where the first bin begins, and how long each is, in microseconds."""

    at: int
    step_us: int

    def number(self, moment: str) -> ColumnElement[int]:
        """The number of the bin of a moment, in SQL."""
        return literal_column(f"(({moment} - {self.at:d}) / {self.step_us:d})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of failures.

    Attributes:
        names: The dimensions whose values are told.
        where: dimension -> value: only failures there.
    """

    names: Sequence[str]
    where: Mapping[str, str]


def has_removed(conn: Connection, span: Span) -> bool:
    """Whether retention removed attempts that ended in some hours or days (primary key)."""
    statement = (
        select(literal(1))
        .where(
            _C.grain == span.grain,
            _C.start >= span.start,
            _C.start < span.end,
            _C.archived == 1,
            _C.n > 0,
        )
        .limit(1)
    )
    return conn.execute(statement).first() is not None


def of_rows(
    conn: Connection, keys: Collection[str], between: tuple[int, int], bins: Bins, told: Told
) -> list[FailedRow]:
    """Failures of some fingerprints from the rows of a stretch of time.

    Index ix_task_attempt_fingerprint, from the moment on for each key; reads each row.

    Args:
        conn: Where to read.
        keys: Fingerprints.
        between: From a moment on, and before another.
        bins: How time is cut.
        told: What is told of them.
    """
    at = bins.number("task_attempt.finished_at")
    columns = [OF_ATTEMPT[name] for name in told.names]
    statement = select(_A.fingerprint, OF_ATTEMPT["is_repeat"], at, *columns).where(
        GROUPED,
        COUNTED,
        _A.fingerprint.in_(sorted(keys)),
        _A.finished_at >= between[0],
        _A.finished_at < between[1],
        *(OF_ATTEMPT[name] == value for name, value in told.where.items()),
    )
    return _rows(conn, statement, told)


def kept(conn: Connection, fingerprint: str, cap: int) -> Kept:
    """What is kept of a fingerprint; counting stops at `cap` attempts.

    Index ix_task_attempt_fingerprint alone.
    """
    newest = (
        select(_A.task_id)
        .where(GROUPED, _A.fingerprint == fingerprint)
        .order_by(_A.finished_at.desc())
        .limit(cap)
        .subquery()
    )
    statement = select(func.count(), func.count(newest.c.task_id.distinct())).select_from(newest)
    attempts, tasks = conn.execute(statement).one()
    return Kept(attempts=int(attempts), tasks=int(tasks))


def tasks_ended(conn: Connection, fingerprint: str, cap: int) -> int:
    """Tasks that failed for good with a fingerprint; counting stops at `cap`.

    Index ix_task_fingerprint alone.
    """
    newest = select(_T.id).where(GROUPED_TASKS, _T.fingerprint == fingerprint).limit(cap).subquery()
    return int(conn.execute(select(func.count()).select_from(newest)).scalar_one())


def ends_of_tasks(
    conn: Connection, fingerprint: str, between: tuple[int, int], cap: int
) -> list[int]:
    """When tasks ended so from a moment on, and before another; at most `cap`, submitted last.

    Index ix_task_fingerprint; reads each row. For groups whose tasks never had an attempt.
    """
    statement = (
        select(_T.finished_at)
        .where(
            GROUPED_TASKS,
            _T.fingerprint == fingerprint,
            _T.finished_at >= between[0],
            _T.finished_at < between[1],
        )
        .order_by(_T.submitted_at.desc())
        .limit(cap)
    )
    return [int(at) for at in conn.execute(statement).scalars()]


def _rows(conn: Connection, statement: Select[Any], told: Told) -> list[FailedRow]:
    rows = conn.execute(statement).cursor.fetchall()
    if "length" in told.names:
        place = 3 + told.names.index("length")
        rows = [(*row[:place], lengths.LABELS[row[place]], *row[place + 1 :]) for row in rows]
    return [FailedRow(row[0], bool(row[1]), row[2], tuple(row[3:])) for row in rows]
