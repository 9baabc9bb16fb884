"""Attempts for a recount: what their rows say and what the cube says, by what profiles have.

Keys are (archived, what a profile has), as in `recount_counters`. A cell whose profile is gone has
the key of `of_nobody`, which no row can have.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.drift import Key, Values
from app.domain.window import DAY_US, Span
from app.store.counted_attempts import COUNTED, OF_ATTEMPT, PROFILE
from app.store.tables import attempt_table, stat_attempt_table, stat_profile_table

_A = attempt_table.c
_C = stat_attempt_table.c
_P = stat_profile_table.c
_NAMED: Final = [_P[name] for name in PROFILE]


def of_rows(conn: Connection, start: int, end: int) -> dict[Key, Values]:
    """Attempts that ended in a stretch of time (index ix_task_attempt_ended; reads each row)."""
    keys = [OF_ATTEMPT[name].label(name) for name in PROFILE]
    statement = (
        select(literal(0), *keys, func.count())
        .select_from(attempt_table)
        .where(COUNTED, _A.finished_at >= start, _A.finished_at < end)
        .group_by(*(key.name for key in keys))
    )
    return {tuple(row[:-1]): (row[-1],) for row in conn.execute(statement)}


def of_hour(conn: Connection, span: Span) -> dict[Key, Values]:
    """Cells of an hour (primary key, then that of each profile)."""
    inside = and_(_C.grain == span.grain, _C.start >= span.start, _C.start < span.end)
    columns = (_C.profile_id, _C.archived, *_NAMED, _C.n)
    rows = conn.execute(select(*columns).select_from(_named(stat_attempt_table)).where(inside))
    return {_key(*row[:-1]): (row[-1],) for row in rows}


def unequal(conn: Connection, start: int) -> list[tuple[Key, int, int]]:
    """Cells of a day that are not the sum of its hours: key, that sum, and what the day says.

    Also those that say nothing any more.

    Primary key; reads every cell of the day and of its hours.
    """
    hours = and_(_C.grain == "hour", _C.start >= start, _C.start < start + DAY_US)
    day = and_(_C.grain == "day", _C.start == start)
    cells = union_all(_of_grain(hours, is_day=0), _of_grain(day, is_day=1)).subquery("cells")
    of_hours, of_day = (
        func.sum(case((cells.c.is_day == one, cells.c.n), else_=0)) for one in (0, 1)
    )
    off = (
        select(
            cells.c.profile_id,
            cells.c.archived,
            cast(of_hours, BigInteger).label("hours"),
            cast(of_day, BigInteger).label("day"),
        )
        .group_by(cells.c.profile_id, cells.c.archived)
        .having(or_(of_hours != of_day, of_day == 0))
        .subquery("off")
    )
    columns = (off.c.profile_id, off.c.archived, *_NAMED, off.c.hours, off.c.day)
    rows = conn.execute(select(*columns).select_from(_named(off)))
    return [(_key(*row[:-2]), row[-2], row[-1]) for row in rows]


def _of_grain(inside: ColumnElement[bool], *, is_day: int) -> Select[Any]:
    return select(_C.profile_id, _C.archived, _C.n, literal(is_day).label("is_day")).where(inside)


def _named(cells: FromClause) -> FromClause:
    """Cells with their profiles; without one, where it is gone."""
    return cells.outerjoin(stat_profile_table, _P.id == cells.c.profile_id)


def _key(profile_id: int, archived: int, *values: Any) -> Key:
    return (archived, *(of_nobody(profile_id) if values[0] is None else values))


def of_nobody(profile_id: int) -> Key:
    """What is told of a profile that is gone: only its id is known."""
    told = {"worker": f"#{profile_id}", "length": -1, "is_repeat": 0}
    return tuple(told.get(name, "") for name in PROFILE)


def gone_id(profile: Mapping[str, Any]) -> int | None:
    """The id of a profile that is gone, out of what is told of it; None of one that is there."""
    return int(profile["worker"][1:]) if profile["length"] == -1 else None


def profile_id(conn: Connection, profile: Mapping[str, Any]) -> int | None:
    """The id of a profile (uq_stat_profile_values); None: it is not there."""
    mine = and_(*(_P[name] == profile[name] for name in PROFILE))
    return conn.execute(select(_P.id).where(mine)).scalar_one_or_none()


def make_profile(conn: Connection, profile: Mapping[str, Any]) -> int:
    """Makes a profile, or finds what a trigger made meanwhile; its id."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    values = {name: profile[name] for name in PROFILE}
    insert = dialect.insert(stat_profile_table).values(values)
    same = insert.on_conflict_do_update(index_elements=PROFILE, set_={"worker": values["worker"]})
    return int(conn.execute(same.returning(_P.id)).scalar_one())
