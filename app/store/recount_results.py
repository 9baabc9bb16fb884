"""What recounts found, and when: checked hours, drift, and the few numbers that sum it up.

The summary is rows of `setting`, so that a verdict costs the same however many hours there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.drift import ACCEPTED, LEDGER, Drift, Scope
from app.store.rows import records
from app.store.tables import (
    setting_table,
    stat_check_table,
    stat_drift_table,
    stat_text_table,
    stat_total_table,
)

_C = stat_check_table.c
_D = stat_drift_table.c
_K = setting_table.c

#: Hours that were counted anew, those that wait for it, the drift that is known, and the notes.
CHECKED: Final = "recount.checked"
WAITING: Final = "recount.waiting"
DRIFT: Final = "recount.drift"
NOTES: Final = "recount.notes"
#: How often counters were mended: a change takes back what was seen before it.
MENDED: Final = "recount.mended"
_NOTED: Final = (LEDGER, ACCEPTED)
#: Drift and notes that are told one by one at most.
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
        below_zero_count: Counts of tasks or texts that are below zero, now.
        note_count: What is told though every number is right; None: as an earlier release left it.
        last_checked_at: The moment that the last one spoke of; None: there was none.
    """

    checked_count: int
    waiting_count: int
    drift_count: int
    below_zero_count: int
    note_count: int | None
    last_checked_at: int | None


def hours(conn: Connection) -> list[CheckedHour]:
    """All hours that were counted anew, in their order (reads the table: a row an hour)."""
    return records(CheckedHour, conn.execute(select(stat_check_table).order_by(_C.start)))


def checked_among(conn: Connection, since: int, until: int) -> set[int]:
    """The hours from a moment on and before another that were counted anew (primary key)."""
    statement = select(_C.start).where(_C.start >= since, _C.start < until)
    return set(conn.execute(statement).scalars())


def n_of_hour(conn: Connection, start: int) -> int | None:
    """Tasks of an hour when it was counted last (primary key); None: it never was."""
    return conn.execute(select(_C.n).where(_C.start == start)).scalar_one_or_none()


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


def names_of(conn: Connection, place: str) -> set[str]:
    """Names of the drift of a place that is of no hour (ix_stat_drift_start)."""
    statement = select(_D.name).where(_D.start.is_(None), _D.place == place)
    return set(conn.execute(statement).scalars())


def accepted(conn: Connection) -> list[Drift]:
    """What cannot be mended, and was accepted (ix_stat_drift_start)."""
    statement = select(stat_drift_table).where(_D.start.is_(None), _D.place == ACCEPTED)
    return records(Drift, conn.execute(statement.order_by(_D.id)))


def forget_accepted(conn: Connection) -> None:
    """Removes all of it (ix_stat_drift_start)."""
    conn.execute(delete(stat_drift_table).where(_D.start.is_(None), _D.place == ACCEPTED))


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
    others = select(func.count()).where(_D.place.not_in(_NOTED), ~is_of_hour).scalar_subquery()
    return int(conn.execute(select(of_hours + others)).scalar_one())


def count_notes(conn: Connection) -> int:
    """What is told and no drift."""
    statement = select(func.count()).where(_D.place.in_(_NOTED))
    return int(conn.execute(statement).scalar_one())


def count_hours(conn: Connection) -> int:
    """How many hours were counted anew."""
    return int(conn.execute(select(func.count()).select_from(stat_check_table)).scalar_one())


def first_drifts(conn: Connection) -> list[Drift]:
    """The first `LISTED` of what is known, notes too (primary key)."""
    return records(Drift, conn.execute(_FIRST))


_FIRST: Final = select(stat_drift_table).order_by(_D.id).limit(LISTED)


def summary(conn: Connection) -> Summary:
    """What the recounts say together (primary key, four rows; counts of all time, 64 shards)."""
    return summary_of({key: (value, at) for key, value, at in conn.execute(SUMMARY)})


def _below_zero() -> Select[Any]:
    """How many counts of all time are below zero: such a one is wrong whatever rows say."""
    zero: ColumnElement[Any] = literal_column("0")
    totals, texts = stat_total_table.c, stat_text_table.c
    below = union_all(
        select(literal_column("1"))
        .select_from(stat_total_table)
        .group_by(totals.archived, totals.status)
        .having(func.sum(totals.n) < zero),
        select(literal_column("1"))
        .select_from(stat_text_table)
        .group_by(texts.state)
        .having(func.sum(texts.n) < zero),
    ).subquery("below")
    return select(literal_column(f"'{_BELOW_ZERO}'"), func.count(), zero).select_from(below)


_BELOW_ZERO: Final = "below zero"
#: The numbers of the summary: key, value, and when it was written.
SUMMARY: Final[CompoundSelect[Any]] = union_all(
    select(_K.key, _K.value, _K.updated_at).where(
        _K.key.in_([literal_column(f"'{key}'") for key in (CHECKED, WAITING, DRIFT, NOTES)])
    ),
    _below_zero(),
)


def summary_of(found: Mapping[str, tuple[int, int]]) -> Summary:
    """The summary that numbers of `SUMMARY` make: value and moment by key."""
    nothing = (0, 0)
    return Summary(
        checked_count=found.get(CHECKED, nothing)[0],
        waiting_count=found.get(WAITING, nothing)[0],
        drift_count=found.get(DRIFT, nothing)[0],
        below_zero_count=found.get(_BELOW_ZERO, nothing)[0],
        note_count=found[NOTES][0] if NOTES in found else None,
        last_checked_at=max((at for _, at in found.values() if at), default=None),
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
