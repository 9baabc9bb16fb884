"""What recounts found, and when: checked hours, drift, and the few numbers that sum it up.

The summary is rows of `setting`, so that a verdict costs the same however many hours there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.drift import LEDGER, Drift, Scope
from app.store.rows import records
from app.store.tables import setting_table, stat_check_table, stat_drift_table

_C = stat_check_table.c
_D = stat_drift_table.c
_K = setting_table.c

#: Hours that were counted anew, those that wait for it, and the drift that is known.
CHECKED: Final = "recount.checked"
WAITING: Final = "recount.waiting"
DRIFT: Final = "recount.drift"
#: How often counters were mended: a change takes back what was seen before it.
MENDED: Final = "recount.mended"
#: Drift and notes that a summary has at most.
LISTED: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedHour:
    """An hour that was counted anew: of which moment, tasks that ended in it, what differed."""

    start: int
    checked_at: int
    n: int
    drift_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the recounts say together.

    Attributes:
        last_checked_at: The moment that the last one spoke of; None: there was none.
        first: The first `LISTED` of what is known, notes too.
    """

    checked_count: int
    waiting_count: int
    drift_count: int
    last_checked_at: int | None
    first: tuple[Drift, ...]


def hours(conn: Connection) -> list[CheckedHour]:
    """All hours that were counted anew, in their order (reads the table: a row an hour)."""
    return records(CheckedHour, conn.execute(select(stat_check_table).order_by(_C.start)))


def checked_among(conn: Connection, since: int, until: int) -> set[int]:
    """The hours from a moment on and before another that were counted anew (primary key)."""
    statement = select(_C.start).where(_C.start >= since, _C.start < until)
    return set(conn.execute(statement).scalars())


def note_hour(conn: Connection, hour: CheckedHour) -> bool:
    """Writes down how an hour was found; False where a later moment of it is known already."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    values = asdict(hour)
    statement = (
        dialect.insert(stat_check_table)
        .values(**values)
        .on_conflict_do_update(
            index_elements=["start"], set_=values, where=_C.checked_at <= hour.checked_at
        )
        .returning(_C.start)
    )
    return conn.execute(statement).first() is not None


def drifting_hours(conn: Connection) -> list[int]:
    """The hours of which drift is known (ix_stat_drift_start)."""
    statement = select(_D.start).where(_D.start.is_not(None)).distinct()
    return [int(start) for start in conn.execute(statement).scalars()]


def forget_drift(conn: Connection, scope: Scope) -> None:
    """Removes what was known of a scope (ix_stat_drift_start)."""
    conn.execute(delete(stat_drift_table).where(_inside(scope)))


def note_drift(conn: Connection, drifts: Iterable[Drift], found_at: int) -> None:
    """Writes down what was found."""
    rows: list[dict[str, Any]] = [{**asdict(one), "found_at": found_at} for one in drifts]
    if rows:
        conn.execute(insert(stat_drift_table), rows)


def _inside(scope: Scope) -> ColumnElement[bool]:
    if scope.start is not None:
        return _D.start == scope.start
    parts = or_(
        false(),
        *(
            and_(_D.place == place, _D.name.startswith(prefix, autoescape=True))
            for place, prefix in scope.parts
        ),
    )
    named = true() if scope.names is None else _D.name.in_(scope.names)
    return and_(_D.start.is_(None), parts, named, _D.name.not_in(scope.but))


def count_drift(conn: Connection) -> int:
    """All drift that is known: of hours as it was counted, else as it was written down."""
    of_hours = select(func.coalesce(func.sum(_C.drift_count), 0)).scalar_subquery()
    is_of_hour = exists().where(_C.start == _D.start)
    others = select(func.count()).where(_D.place != LEDGER, ~is_of_hour).scalar_subquery()
    return int(conn.execute(select(of_hours + others)).scalar_one())


def count_hours(conn: Connection) -> int:
    """How many hours were counted anew."""
    return int(conn.execute(select(func.count()).select_from(stat_check_table)).scalar_one())


_FIRST: Final = select(stat_drift_table).order_by(_D.id).limit(LISTED).subquery()
#: The three numbers, that of drift once for each of the first that are known: one statement, for a
#: second would cost as much again.
_SUMMARY: Final = (
    select(_K.key, _K.value, _K.updated_at, *_FIRST.c)
    .select_from(setting_table.outerjoin(_FIRST, _K.key == DRIFT))
    .where(_K.key.in_((CHECKED, WAITING, DRIFT)))
    .order_by(_FIRST.c.id)
)


def summary(conn: Connection) -> Summary:
    """What the recounts say together (primary keys; 2 + `LISTED` rows at most)."""
    rows = conn.execute(_SUMMARY).all()
    found = {row.key: (int(row.value), int(row.updated_at)) for row in rows}
    return Summary(
        checked_count=found.get(CHECKED, (0, 0))[0],
        waiting_count=found.get(WAITING, (0, 0))[0],
        drift_count=found.get(DRIFT, (0, 0))[0],
        last_checked_at=max((at for _, at in found.values()), default=None),
        first=tuple(records(Drift, (row for row in rows if row.id is not None))),
    )


def note_summary(conn: Connection, numbers: Mapping[str, int], *, at: int, by: str) -> None:
    """Writes numbers of the summary down, as they are at a moment."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    rows = [
        {"key": key, "value": numbers[key], "updated_at": at, "updated_by": by}
        for key in sorted(numbers)
    ]
    statement = dialect.insert(setting_table).values(rows)
    changed = {name: statement.excluded[name] for name in ("value", "updated_at", "updated_by")}
    conn.execute(statement.on_conflict_do_update(index_elements=["key"], set_=changed))


def mended_count(conn: Connection) -> int:
    """How often counters were mended (primary key)."""
    statement = select(_K.value).where(_K.key == MENDED)
    return int(conn.execute(statement).scalar_one_or_none() or 0)


def take_turn(conn: Connection, seen: int, *, at: int, by: str) -> bool:
    """Counts one more time of mending; False where someone else has mended since `seen`."""
    statement = (
        update(setting_table)
        .where(_K.key == MENDED, _K.value == seen)
        .values(value=seen + 1, updated_at=at, updated_by=by)
        .returning(_K.key)
    )
    return conn.execute(statement).first() is not None
